// Cases of ATTENTION_GRAD: the problems of attention, fed by its outputs.
#include "ops/attention.hpp"

namespace oncilla::test {
namespace {

Case gradient_case(uint32_t dtype, const AttentionProblem& problem) {
  Case c = attention_case(dtype, problem);
  c.forward = std::make_shared<Case>(c);
  c.op = ONC_OP_ATTENTION_GRAD;
  c.name.replace(0, 9, "attention_grad");
  const Case& forward = *c.forward;
  Tensor grad_out = forward.out[0];
  grad_out.fill = Domain::unit;
  c.in = {grad_out, forward.in[0], forward.in[1], forward.in[2], forward.in[3], forward.out[0], forward.out[1]};
  c.out = {forward.in[0], forward.in[1], forward.in[2]};
  c.labels = {"grad_q", "grad_k", "grad_v"};
  c.feeds = {{1, false, 0}, {2, false, 1}, {3, false, 2}, {5, true, 0}, {6, true, 1}};
  if (forward.in[3].dtype != 0) c.feeds.push_back({4, false, 3});
  c.gradients = {{0, 0}, {1, 1}, {2, 2}};
  return c;
}

}  // namespace

void cases_attention_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const AttentionProblem& problem : attention_problems()) cases.push_back(gradient_case(dtype, problem));
    for (size_t only = 0; only < 3; ++only) {
      Case c = gradient_case(dtype, {1, 2, 1, 7, 9, 5, 3, "", true});
      c.name += " only " + c.labels[only];
      for (size_t o = 0; o < 3; ++o)
        if (o != only) c.out[o] = absent();
      c.gradients = {{only, only}};
      cases.push_back(c);
    }
  }
}

}  // namespace oncilla::test
