// Cases of CTC_LOSS_GRAD. It gives the gradient of the logits under a log-softmax; where the probabilities are tiny, exp(log_prob)
// vanishes, and what is left is the derivative by log_prob, which finite differences can judge.
#include "ops/ctc.hpp"

namespace oncilla::test {
namespace {

Case grad_case(const Case& forward, bool zero_infinity) {
  Case c = forward;
  c.forward = std::make_shared<Case>(forward);
  c.op = ONC_OP_CTC_LOSS_GRAD;
  c.name.insert(c.name.find('/'), "_grad");
  if (zero_infinity) {
    c.name += " zero_infinity";
    onc_ctc_attrs attrs{};
    std::memcpy(&attrs, c.attrs.data(), sizeof attrs);
    attrs.zero_infinity = 1;
    c.set_attrs(attrs);
  }
  const Tensor& log_prob = forward.in[0];
  c.in = {tensor(log_prob.dtype, forward.out[0].dims),
          log_prob,
          forward.in[1],
          forward.in[2],
          forward.in[3],
          forward.out[0],
          forward.out[1]};
  c.out = {tensor(log_prob.dtype, log_prob.dims, {}, log_prob.layout)};
  c.labels = {"grad_log_prob"};
  c.feeds = {{1, false, 0}, {2, false, 1}, {3, false, 2}, {4, false, 3}, {5, true, 0}, {6, true, 1}};
  c.known.clear();
  return c;
}

}  // namespace

void cases_ctc_loss_grad(Cases& cases) {
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const CtcShape& shape : ctc_shapes()) cases.push_back(grad_case(ctc_case(dtype, shape), false));
    for (size_t i : {0, 4, 7}) cases.push_back(grad_case(ctc_case(dtype, ctc_shapes()[i]), true));
    Case expanded = grad_case(ctc_case(dtype, ctc_shapes()[1]), false);
    expanded.name += " expanded grad_loss, swapped grad";
    expanded.in[0].broadcast = 1;
    expanded.out[0].layout = Layout::swapped;
    cases.push_back(expanded);
    for (size_t which : {0, 1}) {
      Case known = grad_case(known_ctc_case(dtype, which), false);
      known.in[0].fill = list({1, -0.5});
      const std::vector<double> results[] = {
          {0.059618991445377245,
           -0.2982455496854254,
           0.23862655824004822,
           -0.3326204778874109,
           -0.12236423552739882,
           0.45498471341480956,
           0.03208356747035157,
           -0.048549714267946714,
           0.016466146797595102,
           0.16737952211258905,
           -0.12236423552739882,
           -0.04501528658519022,
           0.06044067153936372,
           0.07182665271418583,
           -0.1322673242535496,
           -0.14347698566249065,
           -0.05278223330648012,
           0.19625921896897092,
           0.03994557165157725,
           0.10556446661296023,
           -0.14551003826453757,
           0,
           0,
           0},
          {0.11271920470830456,  -0.11220489762411456, -0.00051430708418998, -0.3326204778874109,   -0.12236423552739882,
           0.4549847134148098,   0.6652409557748218,   -0.552452482341484,   -0.11278847343333834,  -0.3326204778874109,
           -0.12236423552739882, 0.4549847134148098,   0.2869539713249813,   -0.042852342285365774, -0.24410162903961585,
           -0.14347698566249065, -0.05278223330648012, 0.19625921896897114,  0.2869539713249813,    0.07220793765923897,
           -0.35916190898422073, -0.14347698566249065, -0.05278223330648012, 0.1962592189689707}};
      if (dtype == ONC_F32 || dtype == ONC_F64) known.known = {{0, results[which]}};
      cases.push_back(known);
    }
  }
  std::vector<double> tiny(101);
  for (size_t i = 0; i < tiny.size(); ++i) tiny[i] = -18 - static_cast<double>(i * 37 % 101) / 25;
  for (size_t i : {0, 1, 2, 3, 6, 8, 11}) {
    Case forward = ctc_case(ONC_F64, ctc_shapes()[i]);
    forward.name += " tiny probabilities";
    forward.in[0].fill = list(tiny);
    Case c = grad_case(forward, false);
    c.gradients = {{0, 0}};
    cases.push_back(c);
  }
}

}  // namespace oncilla::test
