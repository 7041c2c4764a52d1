// Sums, products, truths and counts. Half types accumulate in float32; sums of integers in int64.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/all_meta.h>
#include <ATen/ops/all_ops.h>
#include <ATen/ops/any_meta.h>
#include <ATen/ops/any_ops.h>
#include <ATen/ops/count_nonzero_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eq.h>
#include <ATen/ops/equal_ops.h>
#include <ATen/ops/mean_meta.h>
#include <ATen/ops/mean_ops.h>
#include <ATen/ops/mul.h>
#include <ATen/ops/nansum_ops.h>
#include <ATen/ops/ne.h>
#include <ATen/ops/prod_meta.h>
#include <ATen/ops/prod_ops.h>
#include <ATen/ops/sum.h>
#include <ATen/ops/sum_meta.h>
#include <ATen/ops/sum_ops.h>
#include <ATen/ops/trace_ops.h>
#include <ATen/ops/view_as_complex.h>
#include <ATen/ops/view_as_real.h>

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

// --- sum, mean, prod

at::Tensor sum_to(const at::Tensor& self, Dim dim, bool keepdim, Type dtype, const at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_sum_dim_IntList> shaped({out});
  shaped.meta(self, dim, keepdim, dtype);
  need_dtype(shaped.outs[0].scalar_type());
  reduce(shaped.outs, self, dims_of(dim, self.dim()), shaped.outs[0].scalar_type(), {}, whole<ONC_EX_REDUCE_SUM>);
  return shaped.outs[0];
}
// The sum of complex numbers is that of each part.
at::Tensor sum_of_parts(const at::Tensor& self, Dim dim, bool keepdim, double share) {
  const Dims dims = dims_of(dim, self.dim());
  std::vector<int64_t> gone;
  for (int64_t d = 0; d < self.dim(); ++d) {
    if (dims[static_cast<size_t>(d)]) gone.push_back(d);
  }
  const at::Tensor pairs = at::view_as_real(self);
  const at::Tensor total = gone.empty() ? pairs.clone() : at::sum(pairs, gone, keepdim);
  return at::view_as_complex((share == 1 ? total : at::mul(total, share)).contiguous());
}
at::Tensor sum(const at::Tensor& self, Dim dim, bool keepdim, Type dtype) {
  if (self.is_complex() && (!dtype || *dtype == self.scalar_type())) return sum_of_parts(self, dim, keepdim, 1);
  return sum_to(self, dim, keepdim, dtype, {});
}
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
at::Tensor mean(const at::Tensor& self, Dim dim, bool keepdim, Type dtype) {
  if (self.is_complex() && (!dtype || *dtype == self.scalar_type()))
    return sum_of_parts(self, dim, keepdim, 1.0 / static_cast<double>(count_of(self, dims_of(dim, self.dim()))));
  return mean_to(self, dim, keepdim, dtype, {});
}
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

at::Tensor nan_sum(const at::Tensor& self, Dim dim, bool keepdim, Type dtype) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_sum_dim_IntList> shaped;
  shaped.meta(self, dim, keepdim, dtype);
  need_dtype(shaped.outs[0].scalar_type());
  reduce(shaped.outs, self, dims_of(dim, self.dim()), shaped.outs[0].scalar_type(), {}, [](Ctx& c) {
    // A NaN is one as stored: in an integer result it would be none.
    const Value raw = c.raw(0);
    const bool floating = raw.dtype == ONC_F32 || raw.dtype == ONC_F64;
    return c.tape.reduce(ONC_EX_REDUCE_SUM, floating ? where(isnan(raw), c.c(0), c.x(0)) : c.x(0));
  });
  return shaped.outs[0];
}
at::Tensor count_nonzero(const at::Tensor& self, at::IntArrayRef dim) { return at::sum(at::ne(self, 0), dim, false, at::kLong); }
at::Tensor trace(const at::Tensor& self) {
  TORCH_CHECK(self.dim() == 2, "trace: expected a matrix, but got tensor with dim ", self.dim());
  return self.diagonal().sum();
}

// --- any, all

template <class Meta, uint32_t kReduce>
at::Tensor truth_of_dim(const at::Tensor& self, int64_t dim, bool keepdim) {
  if (self.is_complex()) return truth_of_dim<Meta, kReduce>(at::ne(self, 0), dim, keepdim);
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(at::IntArrayRef(dim), self.dim()), self.scalar_type(), {}, truth<kReduce>);
  return shaped.outs[0];
}
template <class Meta, uint32_t kReduce>
at::Tensor truth_of_all(const at::Tensor& self) {
  if (self.is_complex()) return truth_of_all<Meta, kReduce>(at::ne(self, 0));
  need_dtype(self.scalar_type());
  Shaped<Meta> shaped;
  shaped.meta(self);
  reduce(shaped.outs, self, dims_of({}, self.dim()), self.scalar_type(), {}, truth<kReduce>);
  return shaped.outs[0];
}

bool equal(const at::Tensor& self, const at::Tensor& other) {
  TORCH_CHECK(self.device() == other.device() && self.dtype() == other.dtype(),
              "Cannot compare two tensors on different devices or of different dtypes. Got: ", self.device(), ", ", other.device(),
              ", ", self.dtype(), " and ", other.dtype());
  return self.sizes() == other.sizes() && (self.numel() == 0 || at::eq(self, other).all().item<bool>());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::sum_dim_IntList, sum>(m);
  kernel<at::_ops::sum_IntList_out, sum_out>(m);
  kernel<at::_ops::nansum, nan_sum>(m);
  kernel<at::_ops::mean_dim, mean>(m);
  kernel<at::_ops::mean_out, mean_out>(m);
  kernel<at::_ops::prod_dim_int, prod_dim>(m);
  kernel<at::_ops::prod, prod>(m);
  kernel<at::_ops::count_nonzero_dim_IntList, count_nonzero>(m);
  kernel<at::_ops::trace, trace>(m);
  kernel<at::_ops::any, truth_of_all<at::meta::structured_any, ONC_EX_REDUCE_ANY>>(m);
  kernel<at::_ops::any_dim, truth_of_dim<at::meta::structured_any_dim, ONC_EX_REDUCE_ANY>>(m);
  kernel<at::_ops::all, truth_of_all<at::meta::structured_all, ONC_EX_REDUCE_ALL>>(m);
  kernel<at::_ops::all_dim, truth_of_dim<at::meta::structured_all_dim, ONC_EX_REDUCE_ALL>>(m);
  kernel<at::_ops::equal, equal>(m);
}

}  // namespace oncilla::adapter
