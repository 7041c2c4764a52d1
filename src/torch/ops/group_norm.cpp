// Group normalisation through GROUP_NORM, which rounds half types once, at the end. Statistics are [N, groups], of half types
// float32.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/full.h>
#include <ATen/ops/native_group_norm_backward_ops.h>
#include <ATen/ops/native_group_norm_ops.h>
#include <ATen/ops/zeros.h>

#include <limits>

#include "torch/norm.hpp"

namespace oncilla::adapter {
namespace {

using namespace norm;

// Numbers of what the op sees: x as [n, c, elements].
struct Groups {
  int64_t n, c, elements, groups;
};

Groups check(const at::Tensor& x, const c10::SymInt& n, const c10::SymInt& c, const c10::SymInt& elements, int64_t groups,
             const at::Tensor& weight, const at::Tensor& bias) {
  need_floating(x, "group norm");
  const Groups g{n.guard_int(__FILE__, __LINE__), c.guard_int(__FILE__, __LINE__), elements.guard_int(__FILE__, __LINE__), groups};
  TORCH_CHECK(groups > 0, "Expected num groups to be greater than 0, got ", groups);
  TORCH_CHECK(g.c % groups == 0, "Expected number of channels in input to be divisible by num_groups, but got input of shape ",
              x.sizes(), " and num_groups=", groups);
  TORCH_CHECK(x.numel() == g.n * g.c * g.elements, "Expected an input of ", g.n, " x ", g.c, " x ", g.elements,
              " elements, but got one of shape ", x.sizes());
  const auto type = parameter_type(x, weight, bias);
  for (const at::Tensor& t : {weight, bias}) {
    if (!t.defined()) continue;
    TORCH_CHECK(t.dim() == 1 && t.numel() == g.c, "Expected weight and bias to be vectors of size equal to the number of ",
                "channels in input, but got one of shape ", t.sizes(), " and input of shape ", x.sizes());
    TORCH_CHECK(t.scalar_type() == type, "mixed dtype: weight and bias are of the input's dtype, ", x.scalar_type(),
                ", or, both, Float beside a half, not ", t.scalar_type());
  }
  return g;
}

// Channels-last memory stays as it is, since the op takes any strides; all else is dense.
at::Tensor dense(const at::Tensor& t, c10::MemoryFormat format, const Groups& g) {
  const at::Tensor out = t.contiguous(format);
  return out.is_contiguous() ? out.view({g.n, g.c, g.elements}) : out;
}
// Of which format x is read and written. A tensor that is not [n, c, ...] is read as if it were.
c10::MemoryFormat format_of(const at::Tensor& x, const Groups& g) {
  const bool named = x.dim() >= 2 && x.size(0) == g.n && x.size(1) == g.c;
  return named ? x.suggest_memory_format() : c10::MemoryFormat::Contiguous;
}

onc_group_norm_attrs attributes(const Groups& g) {
  onc_group_norm_attrs out{};
  out.groups = static_cast<uint32_t>(g.groups);
  return out;
}

Three group_norm(const at::Tensor& given, const Maybe& weight, const Maybe& bias, c10::SymInt n, c10::SymInt c,
                 c10::SymInt elements, int64_t groups, double eps) {
  const at::Tensor w = of(weight), b = of(bias);
  const Groups g = check(given, n, c, elements, groups, w, b);
  const auto options = given.options().memory_format(c10::MemoryFormat::Contiguous).dtype(wide_of(given.scalar_type()));
  const auto format = format_of(given, g);
  const at::Tensor out = at::empty(given.sizes(), given.options().memory_format(format));
  if (given.numel() == 0)
    return {out, at::zeros({g.n, groups}, options), at::full({g.n, groups}, std::numeric_limits<double>::quiet_NaN(), options)};
  const at::Tensor mean = at::empty({g.n, groups}, options), invstd = at::empty({g.n, groups}, options);
  const at::Tensor x = dense(given, format, g), y = out.view(x.sizes()), w1 = as(w, parameter_type(given, w, b)),
                   b1 = as(b, parameter_type(given, w, b));
  Op op(ONC_OP_GROUP_NORM);
  op.in(in_ref(x));
  maybe_in(op, w1);
  maybe_in(op, b1);
  op.out(out_ref(y)).out(out_ref(mean)).out(out_ref(invstd)).attrs(attributes(g)).scalar(eps);
  run(op, x.device().index());
  return {out, mean, invstd};
}

Three group_norm_grad(const at::Tensor& grad, const at::Tensor& given, const at::Tensor& mean, const at::Tensor& invstd,
                      const Maybe& weight, c10::SymInt n, c10::SymInt c, c10::SymInt elements, int64_t groups,
                      std::array<bool, 3> mask) {
  const at::Tensor w = of(weight);
  const Groups g = check(given, n, c, elements, groups, w, {});
  TORCH_CHECK(grad.scalar_type() == given.scalar_type(), "Expected scalar types of X and dY are same.");
  TORCH_CHECK(grad.sizes() == given.sizes(), "Expected a gradient of shape ", given.sizes(), ", not ", grad.sizes());
  const auto format = format_of(given, g);
  const auto type = w.defined() ? w.scalar_type() : given.scalar_type(), wide = wide_of(given.scalar_type());
  const auto options = given.options().memory_format(c10::MemoryFormat::Contiguous).dtype(type);
  at::Tensor gx, gw, gb;
  if (mask[0]) gx = at::empty(given.sizes(), given.options().memory_format(format));
  if (mask[1]) gw = at::empty({g.c}, options);
  if (mask[2]) gb = at::empty({g.c}, options);
  if (!mask[0] && !mask[1] && !mask[2]) return {};
  if (given.numel() == 0) {
    if (gw.defined()) gw.zero_();
    if (gb.defined()) gb.zero_();
    return {gx, gw, gb};
  }
  const at::Tensor x = dense(given, format, g), dy = dense(grad, format, g), w1 = as(w, type), m = as(mean, wide),
                   s = as(invstd, wide);
  const at::Tensor x_out = gx.defined() ? gx.view(x.sizes()) : gx;
  Op op(ONC_OP_GROUP_NORM_GRAD);
  op.in(in_ref(dy)).in(in_ref(x));
  maybe_in(op, w1);
  op.in(in_ref(m)).in(in_ref(s));
  maybe_out(op, x_out);
  maybe_out(op, gw);
  maybe_out(op, gb);
  op.attrs(attributes(g));
  run(op, x.device().index());
  return {gx, gw, gb};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::native_group_norm, group_norm>(m);
  kernel<at::_ops::native_group_norm_backward, group_norm_grad>(m);
}

}  // namespace oncilla::adapter
