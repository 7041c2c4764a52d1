// What each op of ops.def demands of its tensors and attributes. Families with rules of their own are in check_<family>.cpp. A
// plugin declines what is valid here but not served by it (a dtype, a stride) with support().
#include "kit/check.hpp"

namespace oncilla::kit {

void Rules::outputs_do_not_overlap() const {
  for (size_t i = 0; i < desc.out.size(); ++i) {
    if (!desc.has_out(i)) continue;
    const Tensor& t = desc.output(i);
    holds(!t.may_overlap(), "output ", i, " of sizes ", to_string(t.dims), " and strides ", to_string(t.strides),
          " overlaps itself");
  }
}

void check_op(const OpDesc& desc) {
  const Rules r(desc);
  r.outputs_do_not_overlap();
  switch (desc.op) {
#define ONC_OP(number, NAME, name, ...) \
  case number:                          \
    return rules::name(r);
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      throw Error(ONC_INTERNAL, cat("[plan_create] op ", desc.op, " has no checks"));
  }
}

namespace rules {

// The inputs and the instructions were checked with the tape (tape.cpp).
void expr(const Rules& r) {
  const Tape& tape = *r.desc.tape;
  const Dims leading(tape.dims.begin(), tape.dims.end() - tape.reduce_rank);
  r.holds(r.desc.out.size() == tape.outs.size(), r.desc.out.size(), " outputs for ", tape.outs.size(), " output values");
  for (size_t j = 0; j < tape.outs.size(); ++j) {
    const uint16_t value = tape.outs[j];
    r.holds(r.desc.has_out(j), "output ", j, " is absent");
    const Tensor& t = r.desc.output(j);
    const bool as_full = !tape.reduced[value] && t.dims == tape.dims;
    const bool as_reduced = (tape.reduced[value] || tape.both[value]) && t.dims == leading;
    r.holds(as_full || as_reduced, "output ", j, " is ", t, ", but value ", value, " has sizes ",
            to_string(tape.reduced[value] ? leading : tape.dims));
  }
}

void foreach (const Rules& r) {
  const OpDesc& d = r.desc;
  const size_t n = d.foreach_tensors;
  const auto check_list = [&](const char* side, const std::vector<std::optional<Tensor>>& list, bool broadcasts) {
    for (size_t i = 0; i < list.size(); ++i) {
      r.holds(list[i].has_value(), side, " ", i, " is absent");
      const Tensor &t = *list[i], &first = *list[i - i % n];
      const int64_t numel = d.out[i % n]->numel();
      r.holds(t.contiguous(), side, " ", i, " of sizes ", to_string(t.dims), " and strides ", to_string(t.strides),
              " is not contiguous");
      r.holds(t.dtype == first.dtype, side, " ", i, " is ", t, ", but its list begins with ", first);
      r.holds(t.numel() == numel || (broadcasts && t.numel() == 1), side, " ", i, " is ", t, ", but output ", i % n, " has ", numel,
              " elements");
    }
  };
  for (size_t t = 0; t < n; ++t) r.holds(d.has_out(t), "output ", t, " is absent");
  check_list("output", d.out, false);
  check_list("input", d.in, true);
}

}  // namespace rules
}  // namespace oncilla::kit
