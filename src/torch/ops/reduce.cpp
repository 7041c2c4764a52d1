// Reductions. Half types accumulate in float32; sums of integers in int64.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/all_meta.h>
#include <ATen/ops/all_ops.h>
#include <ATen/ops/amax_meta.h>
#include <ATen/ops/amax_ops.h>
#include <ATen/ops/amin_meta.h>
#include <ATen/ops/amin_ops.h>
#include <ATen/ops/any_meta.h>
#include <ATen/ops/any_ops.h>
#include <ATen/ops/argmax_meta.h>
#include <ATen/ops/argmax_ops.h>
#include <ATen/ops/argmin_meta.h>
#include <ATen/ops/argmin_ops.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/linalg_vector_norm_meta.h>
#include <ATen/ops/linalg_vector_norm_ops.h>
#include <ATen/ops/max_meta.h>
#include <ATen/ops/max_ops.h>
#include <ATen/ops/mean_meta.h>
#include <ATen/ops/mean_ops.h>
#include <ATen/ops/min_meta.h>
#include <ATen/ops/min_ops.h>
#include <ATen/ops/prod_meta.h>
#include <ATen/ops/prod_ops.h>
#include <ATen/ops/std_ops.h>
#include <ATen/ops/sum_meta.h>
#include <ATen/ops/sum_ops.h>
#include <ATen/ops/var_mean_ops.h>
#include <ATen/ops/var_ops.h>

#include <limits>

#include "torch/reduce.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

using Dim = at::OptionalIntArrayRef;
using Type = std::optional<at::ScalarType>;

// One value reduced by one instruction.
template <uint32_t kReduce>
Value whole(Ctx& c) {
  return c.tape.reduce(kReduce, c.x(0));
}
template <uint32_t kReduce>
Value truth(Ctx& c) {
  const Value v = c.raw(0);
  return c.tape.reduce(kReduce, v.dtype == ONC_BOOL ? v : c.tape.cast(v, ONC_BOOL));
}

int64_t count_of(const at::Tensor& self, Dims dims) {
  int64_t count = 1;
  for (int64_t d = 0; d < self.dim(); ++d) count *= dims[static_cast<size_t>(d)] ? self.size(d) : 1;
  return count;
}

// --- sum, mean, prod

at::Tensor sum_to(const at::Tensor& self, Dim dim, bool keepdim, Type dtype, const at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_sum_dim_IntList> shaped({out});
  shaped.meta(self, dim, keepdim, dtype);
  reduce(shaped.outs, self, dims_of(dim, self.dim()),
         need_dtype(shaped.outs[0].scalar_type()) ? shaped.outs[0].scalar_type() : at::kFloat, {}, whole<ONC_EX_REDUCE_SUM>);
  return shaped.outs[0];
}
at::Tensor sum(const at::Tensor& self, Dim dim, bool keepdim, Type dtype) { return sum_to(self, dim, keepdim, dtype, {}); }
at::Tensor& sum_out(const at::Tensor& self, Dim dim, bool keepdim, Type dtype, at::Tensor& out) {
  sum_to(self, dim, keepdim, dtype, out);
  return out;
}

at::Tensor mean_to(const at::Tensor& self, Dim dim, bool keepdim, Type dtype, const at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_mean_dim> shaped({out});
  shaped.meta(self, dim, keepdim, dtype);
  const Dims dims = dims_of(dim, self.dim());
  const auto common = shaped.outs[0].scalar_type();
  need_dtype(common);
  const double count = static_cast<double>(count_of(self, dims));
  reduce(shaped.outs, self, dims, common, {},
         [&](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0)) / c.s(c10::Scalar(count)); });
  return shaped.outs[0];
}
at::Tensor mean(const at::Tensor& self, Dim dim, bool keepdim, Type dtype) { return mean_to(self, dim, keepdim, dtype, {}); }
at::Tensor& mean_out(const at::Tensor& self, Dim dim, bool keepdim, Type dtype, at::Tensor& out) {
  mean_to(self, dim, keepdim, dtype, out);
  return out;
}

at::Tensor prod_dim(const at::Tensor& self, int64_t dim, bool keepdim, Type dtype) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_prod_dim_int> shaped;
  shaped.meta(self, dim, keepdim, dtype);
  need_dtype(shaped.outs[0].scalar_type());
  reduce(shaped.outs, self, dims_of(at::IntArrayRef(dim), self.dim()), shaped.outs[0].scalar_type(), {}, whole<ONC_EX_REDUCE_PROD>);
  return shaped.outs[0];
}
at::Tensor prod(const at::Tensor& self, Type dtype) {
  need_dtype(self.scalar_type());
  const auto common = dtype.value_or(at::isIntegralType(self.scalar_type(), true) ? at::kLong : self.scalar_type());
  need_dtype(common);
  const at::Tensor out = at::empty({}, self.options().dtype(common));
  reduce(out, self, dims_of({}, self.dim()), common, {}, whole<ONC_EX_REDUCE_PROD>);
  return out;
}

// --- extremes

template <class Meta, uint32_t kReduce>
at::Tensor extreme(const at::Tensor& self, at::IntArrayRef dim, bool keepdim) {
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(dim, self.dim()), self.scalar_type(), {}, whole<kReduce>);
  return shaped.outs[0];
}
template <uint32_t kReduce>
at::Tensor extreme_of_all(const at::Tensor& self) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(
      self.numel() > 0, kReduce == ONC_EX_REDUCE_MAX ? "max" : "min",
      "(): Expected reduction dim to be specified for input.numel() == 0. Specify the reduction dim with the 'dim' argument.");
  const at::Tensor out = at::empty({}, self.options());
  reduce(out, self, dims_of({}, self.dim()), self.scalar_type(), {}, whole<kReduce>);
  return out;
}
template <class Meta, uint32_t kReduce, uint32_t kArg>
std::tuple<at::Tensor, at::Tensor> extreme_and_index(const at::Tensor& self, int64_t dim, bool keepdim) {
  need_dtype(self.scalar_type());
  Shaped<Meta, 2> shaped;
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(at::IntArrayRef(dim), self.dim()), self.scalar_type(), {}, [](Ctx& c) {
    c.out(c.tape.reduce(kReduce, c.x(0)));
    c.out(c.tape.reduce(kArg, c.x(0)));
    return Value();
  });
  return {shaped.outs[0], shaped.outs[1]};
}
template <class Meta, uint32_t kReduce>
at::Tensor arg_extreme(const at::Tensor& self, std::optional<int64_t> dim, bool keepdim) {
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(dim ? Dim(at::IntArrayRef(*dim)) : Dim(), self.dim()), self.scalar_type(), {}, whole<kReduce>);
  return shaped.outs[0];
}

// --- any, all

template <class Meta, uint32_t kReduce>
at::Tensor truth_of_dim(const at::Tensor& self, int64_t dim, bool keepdim) {
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(at::IntArrayRef(dim), self.dim()), self.scalar_type(), {}, truth<kReduce>);
  return shaped.outs[0];
}
template <class Meta, uint32_t kReduce>
at::Tensor truth_of_all(const at::Tensor& self) {
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self);
  reduce(shaped.outs, self, dims_of({}, self.dim()), self.scalar_type(), {}, truth<kReduce>);
  return shaped.outs[0];
}

// --- variance, in two passes: the mean, then the squares of what is left

std::pair<at::Tensor, at::Tensor> variance(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction,
                                           bool keepdim, bool root) {
  TORCH_CHECK(at::isFloatingType(self.scalar_type()) || at::isComplexType(self.scalar_type()),
              "std and var only support tensors of floating point dtype");
  need_dtype(self.scalar_type());
  const Dims dims = dims_of(dim, self.dim());
  Shaped<at::meta::structured_mean_dim> kept, shaped, mean;
  // Half types keep their means in float32.
  const auto wide = self.scalar_type() == at::kDouble ? at::kDouble : at::kFloat;
  kept.meta(self, dim, true, wide);
  shaped.meta(self, dim, keepdim, std::nullopt);
  mean.meta(self, dim, keepdim, std::nullopt);
  const double count = static_cast<double>(count_of(self, dims));
  const double divisor = std::max(0.0, count - (correction ? correction->toDouble() : 1.0));
  reduce(kept.outs, self, dims, wide, {},
         [&](Ctx& c) { return c.tape.reduce(ONC_EX_REDUCE_SUM, c.x(0)) / c.s(c10::Scalar(count)); });
  const std::array<at::Tensor, 2> ins{self, kept.outs[0].expand(self.sizes())};
  reduce(shaped.outs, ins, dims, wide, {}, [&](Ctx& c) {
    const Value off = c.x(0) - c.x(1), var = c.tape.reduce(ONC_EX_REDUCE_SUM, off * off) / c.s(c10::Scalar(divisor));
    return root ? sqrt(var) : var;
  });
  mean.outs[0].copy_(kept.outs[0].reshape(mean.outs[0].sizes()));
  return {shaped.outs[0], mean.outs[0]};
}
at::Tensor var(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction, bool keepdim) {
  return variance(self, dim, correction, keepdim, false).first;
}
at::Tensor std_of(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction, bool keepdim) {
  return variance(self, dim, correction, keepdim, true).first;
}
std::tuple<at::Tensor, at::Tensor> var_mean(const at::Tensor& self, Dim dim, const std::optional<at::Scalar>& correction,
                                            bool keepdim) {
  return variance(self, dim, correction, keepdim, false);
}

// --- norms of vectors

at::Tensor norm_to(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype, const at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_linalg_vector_norm> shaped({out});
  shaped.meta(self, ord, dim, keepdim, dtype);
  const double p = ord.toDouble();
  const double infinity = std::numeric_limits<double>::infinity();
  reduce(shaped.outs, self, dims_of(dim, self.dim()), shaped.outs[0].scalar_type(), {}, [&](Ctx& c) {
    const Value a = abs(c.x(0));
    if (p == infinity) return c.tape.reduce(ONC_EX_REDUCE_MAX, a);
    if (p == -infinity) return c.tape.reduce(ONC_EX_REDUCE_MIN, a);
    if (p == 0) return c.tape.reduce(ONC_EX_REDUCE_SUM, where(eq(a, c.c(0)), c.c(0), c.c(1)));
    if (p == 1) return c.tape.reduce(ONC_EX_REDUCE_SUM, a);
    if (p == 2) return sqrt(c.tape.reduce(ONC_EX_REDUCE_SUM, a * a));
    return pow(c.tape.reduce(ONC_EX_REDUCE_SUM, pow(a, c.s(c10::Scalar(p)))), c.s(c10::Scalar(1 / p)));
  });
  return shaped.outs[0];
}
at::Tensor vector_norm(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype) {
  return norm_to(self, ord, dim, keepdim, dtype, {});
}
at::Tensor& vector_norm_out(const at::Tensor& self, const at::Scalar& ord, Dim dim, bool keepdim, Type dtype, at::Tensor& out) {
  norm_to(self, ord, dim, keepdim, dtype, out);
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::sum_dim_IntList, sum>(m);
  kernel<at::_ops::sum_IntList_out, sum_out>(m);
  kernel<at::_ops::mean_dim, mean>(m);
  kernel<at::_ops::mean_out, mean_out>(m);
  kernel<at::_ops::prod_dim_int, prod_dim>(m);
  kernel<at::_ops::prod, prod>(m);
  kernel<at::_ops::amax, extreme<at::meta::structured_amax, ONC_EX_REDUCE_MAX>>(m);
  kernel<at::_ops::amin, extreme<at::meta::structured_amin, ONC_EX_REDUCE_MIN>>(m);
  kernel<at::_ops::max, extreme_of_all<ONC_EX_REDUCE_MAX>>(m);
  kernel<at::_ops::min, extreme_of_all<ONC_EX_REDUCE_MIN>>(m);
  kernel<at::_ops::max_dim, extreme_and_index<at::meta::structured_max_dim, ONC_EX_REDUCE_MAX, ONC_EX_REDUCE_ARGMAX>>(m);
  kernel<at::_ops::min_dim, extreme_and_index<at::meta::structured_min_dim, ONC_EX_REDUCE_MIN, ONC_EX_REDUCE_ARGMIN>>(m);
  kernel<at::_ops::argmax, arg_extreme<at::meta::structured_argmax, ONC_EX_REDUCE_ARGMAX>>(m);
  kernel<at::_ops::argmin, arg_extreme<at::meta::structured_argmin, ONC_EX_REDUCE_ARGMIN>>(m);
  kernel<at::_ops::any, truth_of_all<at::meta::structured_any, ONC_EX_REDUCE_ANY>>(m);
  kernel<at::_ops::any_dim, truth_of_dim<at::meta::structured_any_dim, ONC_EX_REDUCE_ANY>>(m);
  kernel<at::_ops::all, truth_of_all<at::meta::structured_all, ONC_EX_REDUCE_ALL>>(m);
  kernel<at::_ops::all_dim, truth_of_dim<at::meta::structured_all_dim, ONC_EX_REDUCE_ALL>>(m);
  kernel<at::_ops::var_correction, var>(m);
  kernel<at::_ops::std_correction, std_of>(m);
  kernel<at::_ops::var_mean_correction, var_mean>(m);
  kernel<at::_ops::linalg_vector_norm, vector_norm>(m);
  kernel<at::_ops::linalg_vector_norm_out, vector_norm_out>(m);
}

}  // namespace oncilla::adapter
