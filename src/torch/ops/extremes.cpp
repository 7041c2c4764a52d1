// Least and greatest elements, and where they are.
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/ops/_aminmax_ops.h>
#include <ATen/ops/amax_meta.h>
#include <ATen/ops/amax_ops.h>
#include <ATen/ops/amin_meta.h>
#include <ATen/ops/amin_ops.h>
#include <ATen/ops/aminmax_meta.h>
#include <ATen/ops/aminmax_ops.h>
#include <ATen/ops/argmax_meta.h>
#include <ATen/ops/argmax_ops.h>
#include <ATen/ops/argmin_meta.h>
#include <ATen/ops/argmin_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_meta.h>
#include <ATen/ops/max_ops.h>
#include <ATen/ops/min_meta.h>
#include <ATen/ops/min_ops.h>

#include "torch/reduce.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

using Dim = at::OptionalIntArrayRef;

// One value reduced by one instruction.
template <uint32_t kReduce>
Value whole(Ctx& c) {
  return c.tape.reduce(kReduce, c.x(0));
}
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

std::array<at::Tensor, 2> both_extremes_to(const at::Tensor& self, std::optional<int64_t> dim, bool keepdim,
                                           const std::array<at::Tensor, 2>& outs) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_aminmax, 2> shaped(outs);
  shaped.meta(self, dim, keepdim);
  reduce(shaped.outs, self, dims_of(dim ? Dim(at::IntArrayRef(*dim)) : Dim(), self.dim()), self.scalar_type(), {}, [](Ctx& c) {
    c.out(c.tape.reduce(ONC_EX_REDUCE_MIN, c.x(0)));
    c.out(c.tape.reduce(ONC_EX_REDUCE_MAX, c.x(0)));
    return Value();
  });
  return shaped.outs;
}
std::tuple<at::Tensor, at::Tensor> both_extremes(const at::Tensor& self, std::optional<int64_t> dim, bool keepdim) {
  const auto outs = both_extremes_to(self, dim, keepdim, {});
  return {outs[0], outs[1]};
}
std::tuple<at::Tensor&, at::Tensor&> both_extremes_out(const at::Tensor& self, std::optional<int64_t> dim, bool keepdim,
                                                       at::Tensor& low, at::Tensor& high) {
  both_extremes_to(self, dim, keepdim, {low, high});
  return {low, high};
}
std::tuple<at::Tensor, at::Tensor> both_extremes_of_all(const at::Tensor& self) { return both_extremes(self, std::nullopt, false); }
std::tuple<at::Tensor, at::Tensor> both_extremes_of_dim(const at::Tensor& self, int64_t dim, bool keepdim) {
  return both_extremes(self, dim, keepdim);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::amax, extreme<at::meta::structured_amax, ONC_EX_REDUCE_MAX>>(m);
  kernel<at::_ops::amin, extreme<at::meta::structured_amin, ONC_EX_REDUCE_MIN>>(m);
  kernel<at::_ops::max, extreme_of_all<ONC_EX_REDUCE_MAX>>(m);
  kernel<at::_ops::min, extreme_of_all<ONC_EX_REDUCE_MIN>>(m);
  kernel<at::_ops::max_dim, extreme_and_index<at::meta::structured_max_dim, ONC_EX_REDUCE_MAX, ONC_EX_REDUCE_ARGMAX>>(m);
  kernel<at::_ops::min_dim, extreme_and_index<at::meta::structured_min_dim, ONC_EX_REDUCE_MIN, ONC_EX_REDUCE_ARGMIN>>(m);
  kernel<at::_ops::argmax, arg_extreme<at::meta::structured_argmax, ONC_EX_REDUCE_ARGMAX>>(m);
  kernel<at::_ops::argmin, arg_extreme<at::meta::structured_argmin, ONC_EX_REDUCE_ARGMIN>>(m);
  kernel<at::_ops::aminmax, both_extremes>(m);
  kernel<at::_ops::aminmax_out, both_extremes_out>(m);
  kernel<at::_ops::_aminmax, both_extremes_of_all>(m);
  kernel<at::_ops::_aminmax_dim, both_extremes_of_dim>(m);
}

}  // namespace oncilla::adapter
