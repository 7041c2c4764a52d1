// Cases of CTC_LOSS.
#include <limits>

#include "ops/ctc.hpp"

namespace oncilla::test {

Case ctc_case(uint32_t dtype, const CtcShape& s) {
  Case c;
  c.op = ONC_OP_CTC_LOSS;
  c.name = std::string("ctc_loss/") + dtype_name(dtype) + " " + dims_name({s.steps, s.batch, s.classes}) + " labels " +
           std::to_string(s.labels) + " " + layout_name(s.layout) + s.what;
  onc_ctc_attrs attrs{};
  attrs.blank = s.blank;
  c.set_attrs(attrs);
  const uint32_t saved = dtype == ONC_F16 || dtype == ONC_BF16 ? uint32_t{ONC_F32} : dtype;
  c.in = {tensor(dtype, {s.steps, s.batch, s.classes}, Domain::unit, s.layout),
          tensor(ONC_I64, {s.batch, s.labels}, list(s.targets)), tensor(ONC_I64, {s.batch}, list(s.input_lengths)),
          tensor(ONC_I64, {s.batch}, list(s.target_lengths))};
  c.out = {tensor(dtype, {s.batch}), tensor(saved, {s.batch, s.steps, 2 * s.labels + 1}, {}, s.layout)};
  c.labels = {"loss", "log_alpha"};
  return c;
}

Case known_ctc_case(uint32_t dtype, size_t which) {
  Case c = ctc_case(dtype, which == 0 ? CtcShape{4, 2, 3, 2, {1, 2, 2, 2}, {4, 3}, {2}, 0, " known"}
                                      : CtcShape{4, 2, 3, 2, {1, 0, 0, 0}, {4}, {1, 0}, 2, " known, blank 2, an empty target"});
  c.in[0].fill = list(kCtcLogProb);
  return c;
}

void cases_ctc_loss(Cases& cases) {
  const double inf = std::numeric_limits<double>::infinity(), nan = std::numeric_limits<double>::quiet_NaN();
  for (uint32_t dtype : {ONC_F32, ONC_F64, ONC_F16, ONC_BF16}) {
    for (const CtcShape& shape : ctc_shapes()) cases.push_back(ctc_case(dtype, shape));
    Case special = ctc_case(dtype, ctc_shapes()[1]);
    special.name += " minus infinity and NaN";
    special.in[0].fill =
        list({-1, -2, -inf, -0.5, -1, -3, -1, -2, -0.25, -inf, -1, -2, -1, -1, -1, -2, nan, -1, -2, -3, -1, -1, -1});
    cases.push_back(special);
    for (size_t which : {0, 1}) {
      Case known = known_ctc_case(dtype, which);
      if (dtype == ONC_F32 || dtype == ONC_F64)
        known.known = {{0, which == 0 ? std::vector<double>{0.69975888953541, 3.313645383631911}
                                      : std::vector<double>{2.1117675387727792, 5.8120788383750615}}};
      cases.push_back(known);
    }
  }
  // As long as speech: the probabilities themselves would underflow.
  cases.push_back(ctc_case(ONC_F64, {150, 2, 11, 40, {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 10, 3}, {150, 140}, {40, 33}}));
}

}  // namespace oncilla::test
