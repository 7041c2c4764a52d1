// What ops over lists of tensors demand, beside FOREACH (check.cpp).
#include "kit/check.hpp"

namespace oncilla::kit::rules {

void foreach_norm(const Rules& r) {
  const auto attrs = r.desc.attributes<onc_foreach_norm_attrs>();
  const Named first = r.in(0, "input 0"), norms = r.out(0, "norms");
  r.floating(first);
  for (size_t t = 0; t < r.desc.in.size(); ++t) {
    r.holds(r.desc.has_in(t), "input ", t, " is absent");
    const Tensor& x = r.desc.input(t);
    r.holds(x.dtype == first->dtype, "input ", t, " is ", x, ", but the list begins with ", first);
    r.holds(x.contiguous(), "input ", t, " of sizes ", to_string(x.dims), " and strides ", to_string(x.strides),
            " is not contiguous");
  }
  r.dtype(norms, first->dtype == ONC_F64 ? ONC_F64 : ONC_F32);
  r.dims(norms, {static_cast<int64_t>(r.desc.in.size())});
  r.holds(attrs.kind <= ONC_NORM_2, "kind ", attrs.kind, " is not the largest magnitude (0), the 1-norm (1) or the 2-norm (2)");
  r.reserved(attrs.reserved);
}

}  // namespace oncilla::kit::rules
