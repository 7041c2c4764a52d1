// Writing by index along one dim: scatter and its reductions, index_add, index_copy, index_fill, the gradient of an embedding. All
// end in SCATTER, which combines in a fixed order: they are deterministic.
#include "torch/kernel.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/ops/embedding_dense_backward_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/index_add_meta.h>
#include <ATen/ops/index_add_ops.h>
#include <ATen/ops/index_copy_meta.h>
#include <ATen/ops/index_copy_ops.h>
#include <ATen/ops/index_fill_ops.h>
#include <ATen/ops/index_reduce_meta.h>
#include <ATen/ops/index_reduce_ops.h>
#include <ATen/ops/ones.h>
#include <ATen/ops/scatter_add_meta.h>
#include <ATen/ops/scatter_add_ops.h>
#include <ATen/ops/scatter_meta.h>
#include <ATen/ops/scatter_ops.h>
#include <ATen/ops/scatter_reduce_meta.h>
#include <ATen/ops/scatter_reduce_ops.h>
#include <ATen/ops/where.h>

#include "torch/indexing.hpp"
#include "torch/shaped.hpp"

namespace oncilla::adapter {
namespace {

// out = self with src at the index. Sizes, dtypes and overlap were checked by PyTorch's shape function. src may be larger than the
// index.
at::Tensor& combine(const char* name, const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& src,
                    uint32_t reduce, bool include_self, at::Tensor& out) {
  need_dtype(self.scalar_type());
  check_same_device(self, index);
  check_same_device(self, src);
  // A mean of bool is refused by the kernel, which would see it only after self was copied.
  if (reduce == ONC_SCATTER_MEAN && self.scalar_type() == at::kBool) throw Declined("a mean of bool");
  const bool apart = !out.is_same(self) && shares_memory(out, self);
  if (apart || (index.numel() == 0 && !out.is_same(self))) out.copy_(self);
  if (index.numel() == 0 || out.numel() == 0) return out;
  const at::Tensor y = some_dim(out), from = some_dim(apart ? out : self), at = some_dim(as_long(index)), all = some_dim(src);
  const at::Tensor values = all.as_strided(at.sizes(), all.strides());
  const int64_t axis = at::maybe_wrap_dim(dim, y.dim());
  check_index({name, axis, y.size(axis)}, at);
  scatter_into(from, axis, at, values, reduce, include_self, y);
  return out;
}

// A number as a tensor of the index's sizes, without their memory.
at::Tensor spread(const at::Tensor& self, const at::Scalar& value, at::IntArrayRef sizes) {
  return at::full({}, value, self.options()).expand(sizes);
}

uint32_t kind_of(std::string_view reduce) {
  if (reduce == "sum" || reduce == "add") return ONC_SCATTER_SUM;
  if (reduce == "prod" || reduce == "multiply") return ONC_SCATTER_PROD;
  if (reduce == "mean") return ONC_SCATTER_MEAN;
  if (reduce == "amin") return ONC_SCATTER_MIN;
  TORCH_CHECK(reduce == "amax", "reduce argument must be either sum, prod, mean, amax or amin, got ", reduce);
  return ONC_SCATTER_MAX;
}

at::Tensor& scatter_src(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& src, at::Tensor& out) {
  Shaped<at::meta::structured_scatter_src> shaped({out});
  shaped.meta(self, dim, index, src);
  return combine("scatter", self, dim, index, src, ONC_SCATTER_ASSIGN, true, out);
}
at::Tensor& scatter_value(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Scalar& value, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_scatter_value> shaped({out});
  shaped.meta(self, dim, index, value);
  return combine("scatter", self, dim, index, spread(self, value, index.sizes()), ONC_SCATTER_ASSIGN, true, out);
}
at::Tensor& scatter_add(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& src, at::Tensor& out) {
  Shaped<at::meta::structured_scatter_add> shaped({out});
  shaped.meta(self, dim, index, src);
  return combine("scatter_add", self, dim, index, src, ONC_SCATTER_SUM, true, out);
}
at::Tensor& scatter_reduce(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& src,
                           c10::string_view reduce, bool include_self, at::Tensor& out) {
  Shaped<at::meta::structured_scatter_reduce_two> shaped({out});
  shaped.meta(self, dim, index, src, reduce, include_self);
  return combine("scatter_reduce", self, dim, index, src, kind_of(reduce), include_self, out);
}
at::Tensor& scatter_old_reduce(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& src,
                               c10::string_view reduce, at::Tensor& out) {
  Shaped<at::meta::structured_scatter_reduce> shaped({out});
  shaped.meta(self, dim, index, src, reduce);
  return combine("scatter", self, dim, index, src, kind_of(reduce), true, out);
}
at::Tensor& scatter_value_reduce(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Scalar& value,
                                 c10::string_view reduce, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_scatter_value_reduce> shaped({out});
  shaped.meta(self, dim, index, value, reduce);
  return combine("scatter", self, dim, index, spread(self, value, index.sizes()), kind_of(reduce), true, out);
}

// --- a 1-D index that says where slices go

void check_slices(const char* name, const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& source) {
  const at::Tensor a = some_dim(self), b = some_dim(source);
  TORCH_CHECK(a.dim() == b.dim(), name, "_(): source has ", b.dim(), " dims, self has ", a.dim());
  for (int64_t d = 0; d < a.dim(); ++d) {
    TORCH_CHECK(b.size(d) == (d == dim ? index.numel() : a.size(d)), name,
                "_(): Source/destination tensor must have same slice shapes. Destination slice shape: ", self.sizes(),
                " at dimension ", dim, " and source slice shape: ", source.sizes(), " at dimension 0.");
  }
}
at::Tensor& slices(const char* name, const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& source,
                   uint32_t reduce, at::Tensor& out, bool include_self = true) {
  const int64_t axis = at::maybe_wrap_dim(dim, self.dim());
  check_slices(name, self, axis, index, source);
  const at::Tensor src = some_dim(source);
  return combine(name, self, axis, along(as_long(index), axis, src.sizes()), src, reduce, include_self, out);
}
at::Tensor& index_add(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& source,
                      const at::Scalar& alpha, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_index_add> shaped({out});
  shaped.meta(self, dim, index, source, alpha);
  const at::Tensor scaled = alpha.equal(1) ? source : source.mul(alpha);
  return slices("index_add", self, dim, index, scaled, ONC_SCATTER_SUM, out);
}
at::Tensor& index_reduce(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& source,
                         c10::string_view reduce, bool include_self, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_index_reduce> shaped({out});
  shaped.meta(self, dim, index, source, reduce, include_self);
  TORCH_CHECK(reduce == "prod" || reduce == "mean" || reduce == "amax" || reduce == "amin",
              "index_reduce(): Expected reduce to be one of prod, mean, amax or amin but got ", reduce, ".");
  return slices("index_reduce", self, dim, index, source, kind_of(reduce), out, include_self);
}
at::Tensor& index_copy(const at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& source, at::Tensor& out) {
  need_dtype(self.scalar_type());
  Shaped<at::meta::structured_index_copy> shaped({out});
  shaped.meta(self, dim, index, source);
  // A 0-dim source goes to one place.
  const at::Tensor whole =
      source.dim() == 0 && self.dim() > 0 ? source.reshape(std::vector<int64_t>(static_cast<size_t>(self.dim()), 1)) : source;
  return slices("index_copy", self, dim, index, whole, ONC_SCATTER_ASSIGN, out);
}

at::Tensor& index_fill_tensor(at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Tensor& value) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(value.dim() == 0, "index_fill_ only supports a 0-dimensional value tensor, but got tensor with ", value.dim(),
              " dimension(s).");
  TORCH_CHECK_INDEX(index.scalar_type() == at::kLong || index.scalar_type() == at::kInt,
                    "index_fill_(): Expected dtype int32/int64 for index.");
  TORCH_CHECK(index.dim() <= 1, "Index has to be a vector/scalar");
  check_same_device(self, index);
  if (at::has_internal_overlap(self) == at::MemOverlap::Yes) throw Declined("index_fill_ of memory that overlaps itself");
  at::assert_no_overlap(self, index);
  const at::Tensor y = some_dim(self), wide = as_long(index);
  const int64_t axis = at::maybe_wrap_dim(dim, y.dim());
  if (y.numel() == 0 || index.numel() == 0) return self;
  std::vector<int64_t> sizes(y.sizes().begin(), y.sizes().end());
  sizes[static_cast<size_t>(axis)] = index.numel();
  check_index({"index_fill", axis, y.size(axis), true}, wide);
  // Here, unlike in index_copy, negative positions count from the end.
  const at::Tensor at = at::where(wide.lt(0), wide.add(y.size(axis)), wide);
  const at::Tensor number = value.to(self.options().dtype(self.scalar_type()));
  scatter_into(y, axis, along(at, axis, sizes), number.expand(sizes), ONC_SCATTER_ASSIGN, true, y);
  return self;
}
at::Tensor& index_fill_scalar(at::Tensor& self, int64_t dim, const at::Tensor& index, const at::Scalar& value) {
  need_dtype(self.scalar_type());
  return index_fill_tensor(self, dim, index, at::full({}, value, self.options()));
}

// --- rows of grad added up by the word that they belong to

at::Tensor embedding_grad(const at::Tensor& grad, const at::Tensor& indices, c10::SymInt num_weights, c10::SymInt padding,
                          bool by_frequency) {
  need_dtype(grad.scalar_type());
  TORCH_CHECK(indices.scalar_type() == at::kLong || indices.scalar_type() == at::kInt,
              "Expected tensor for argument #2 'indices' to have one of the following scalar types: Long, Int; but got ",
              indices.scalar_type());
  check_same_device(grad, indices);
  const int64_t words = num_weights.guard_int(__FILE__, __LINE__), skipped = padding.guard_int(__FILE__, __LINE__);
  const int64_t n = indices.numel(), width = grad.size(-1);
  const at::Tensor rows = grad.reshape({n, width}), out = at::empty({words, width}, grad.options());
  if (out.numel() == 0 || n == 0) return out.zero_();
  at::Tensor index = as_long(indices).reshape({n});
  check_index({"embedding_dense_backward", 0, words}, index);
  if (skipped >= 0) index = index.masked_fill(index.eq(skipped), -1);  // outside: touches nothing
  scatter_into({}, 0, along(index, 0, rows.sizes()), rows, ONC_SCATTER_SUM, true, out);
  if (!by_frequency) return out;
  const at::Tensor counts = at::empty({words}, index.options());
  scatter_into({}, 0, index, at::ones({}, index.options()).expand({n}), ONC_SCATTER_SUM, true, counts);
  return out.div_(counts.clamp_min(1).unsqueeze(1));
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::scatter_src_out, scatter_src>(m);
  kernel<at::_ops::scatter_value_out, scatter_value>(m);
  kernel<at::_ops::scatter_add_out, scatter_add>(m);
  kernel<at::_ops::scatter_reduce_two_out, scatter_reduce>(m);
  kernel<at::_ops::scatter_reduce_out, scatter_old_reduce>(m);
  kernel<at::_ops::scatter_value_reduce_out, scatter_value_reduce>(m);
  kernel<at::_ops::index_add_out, index_add>(m);
  kernel<at::_ops::index_copy_out, index_copy>(m);
  kernel<at::_ops::index_reduce_out, index_reduce>(m);
  kernel<at::_ops::index_fill__int_Scalar, index_fill_scalar>(m);
  kernel<at::_ops::index_fill__int_Tensor, index_fill_tensor>(m);
  kernel<at::_ops::embedding_dense_backward, embedding_grad>(m);
}

}  // namespace oncilla::adapter
