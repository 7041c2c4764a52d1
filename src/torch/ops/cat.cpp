// cat: each tensor copied into its place.
#include "torch/kernel.hpp"

#include <ATen/MemoryOverlap.h>
#include <ATen/native/Resize.h>
#include <ATen/native/TypeProperties.h>
#include <ATen/ops/cat_ops.h>
#include <ATen/ops/empty.h>

#include "torch/copy.hpp"

namespace oncilla::adapter {
namespace {

bool skipped(const at::Tensor& t) {
  return t.dim() == 1 && t.size(0) == 0;
}  // a leftover of old PyTorch: such a tensor joins with anything

void cat_into(const std::vector<at::Tensor>& tensors, int64_t dim, at::Tensor& out, bool given) {
  const at::Tensor* first = nullptr;
  for (const at::Tensor& t : tensors) {
    if (!skipped(t) && first == nullptr) first = &t;
  }
  std::vector<int64_t> size{0};
  if (first != nullptr) {
    TORCH_CHECK(first->dim() > 0, "zero-dimensional tensor (at position 0) cannot be concatenated");
    dim = at::maybe_wrap_dim(dim, first->dim());
    size.assign(first->sizes().begin(), first->sizes().end());
    size[static_cast<size_t>(dim)] = 0;
    for (size_t i = 0; i < tensors.size(); ++i) {
      const at::Tensor& t = tensors[i];
      TORCH_CHECK(t.device() == first->device(), "Expected all tensors to be on the same device, but got tensors is on ",
                  t.device(), ", different from other tensors on ", first->device(),
                  " (when checking argument in method wrapper_ocl_cat)");
      if (skipped(t)) continue;
      TORCH_CHECK(t.dim() == first->dim(), "Tensors must have same number of dimensions: got ", first->dim(), " and ", t.dim());
      for (int64_t d = 0; d < t.dim(); ++d) {
        TORCH_CHECK(d == dim || t.size(d) == first->size(d), "Sizes of tensors must match except in dimension ", dim,
                    ". Expected size ", first->size(d), " but got size ", t.size(d), " for tensor number ", i, " in the list.");
      }
      size[static_cast<size_t>(dim)] += t.size(dim);
    }
  }
  if (given) {
    at::assert_no_internal_overlap(out);
    for (const at::Tensor& t : tensors) at::assert_no_overlap(out, t);
    at::native::resize_output(out, size);
  } else {
    const auto format = first != nullptr ? first->suggest_memory_format() : c10::MemoryFormat::Contiguous;
    out = at::empty(size, out.options().memory_format(format));
  }
  int64_t at = 0;
  for (const at::Tensor& t : tensors) {
    if (skipped(t)) continue;
    copy_tensor(out.narrow(dim, at, t.size(dim)), t, false);
    at += t.size(dim);
  }
}
at::Tensor cat(const at::ITensorListRef& list, int64_t dim) {
  const std::vector<at::Tensor> tensors(list.begin(), list.end());
  TORCH_CHECK(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  at::native::ResultTypeState state{};
  for (const at::Tensor& t : tensors) state = at::native::update_result_type_state(t, state);
  at::Tensor out = at::empty({0}, tensors[0].options().dtype(at::native::result_type(state)));
  cat_into(tensors, dim, out, false);
  return out;
}
at::Tensor& cat_out(const at::ITensorListRef& list, int64_t dim, at::Tensor& out) {
  const std::vector<at::Tensor> tensors(list.begin(), list.end());
  TORCH_CHECK(!tensors.empty(), "torch.cat(): expected a non-empty list of Tensors");
  cat_into(tensors, dim, out, true);
  return out;
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::cat, cat>(m);
  kernel<at::_ops::cat_out, cat_out>(m);
}

}  // namespace oncilla::adapter
