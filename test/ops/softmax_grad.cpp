// Cases of SOFTMAX_GRAD: the shapes of softmax, fed by its output.
#include "ops/softmax.hpp"

namespace oncilla::test {

void cases_softmax_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (bool log : {false, true}) {
      for (const SoftmaxShape& shape : kSoftmaxShapes) {
        if (log && (dtype == ONC_F16 || dtype == ONC_BF16) && shape.layout == Layout::contiguous) continue;
        Case c = softmax_case(dtype, shape, log);
        c.forward = std::make_shared<Case>(c);
        c.op = ONC_OP_SOFTMAX_GRAD;
        c.name.replace(0, 7, "softmax_grad");
        c.in = {tensor(dtype, shape.dims, Domain::any, shape.layout), tensor(dtype, shape.dims, {}, shape.layout)};
        c.feeds = {{1, true, 0}};
        c.gradients = {{0, 0}};
        cases.push_back(c);
      }
      Case expanded = softmax_case(dtype, {{5, 9}, 1, Layout::contiguous}, log);
      expanded.forward = std::make_shared<Case>(expanded);
      expanded.op = ONC_OP_SOFTMAX_GRAD;
      expanded.name = "softmax_grad" + expanded.name.substr(7) + " expanded grad_out";
      expanded.in = {tensor(dtype, {5, 9}, Domain::any, Layout::contiguous, 3), tensor(dtype, {5, 9})};
      expanded.feeds = {{1, true, 0}};
      cases.push_back(expanded);
    }
  }
}

}  // namespace oncilla::test
