// Max unpooling: values go back to the positions that max pooling took them from, zero elsewhere. Of equal positions the last wins,
// and one outside its plane writes nothing until its error is raised (index_check.hpp).
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/max_unpool2d_ops.h>
#include <ATen/ops/max_unpool3d_ops.h>

#include "torch/indexing.hpp"
#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor& unpool(const at::Tensor& self, const at::Tensor& index, at::IntArrayRef size, int64_t rank, at::Tensor& out) {
  need_dtype(self.scalar_type());
  TORCH_CHECK(index.scalar_type() == at::kLong, "elements in indices should be type int64 but got: ", index.scalar_type());
  TORCH_CHECK(static_cast<int64_t>(size.size()) == rank, "There should be exactly ", rank, " elements in output_size, but got ",
              size.size(), " elements.");
  TORCH_CHECK(self.dim() == rank + 1 || self.dim() == rank + 2, "Input to max_unpooling", rank, "d should be a ", rank + 1, "d or ",
              rank + 2, "d Tensor, but got a tensor with ", self.dim(), " dimensions.");
  TORCH_CHECK(self.sizes() == index.sizes(), "Expected shape of indices to be same as that of the input tensor (", self.sizes(),
              ") but got indices tensor with shape: ", index.sizes());
  for (int64_t d = 1; d < self.dim(); ++d) {
    TORCH_CHECK(self.size(d) > 0, "max_unpooling", rank,
                "d: Expected input to have non-zero size for non-batch dimensions, but got ", self.sizes(), " with dimension ", d,
                " being empty.");
  }
  check_same_device(self, index);
  check_same_device(self, out);
  TORCH_CHECK(out.scalar_type() == self.scalar_type(), "Expected an output of dtype ", self.scalar_type(), ", but got ",
              out.scalar_type());
  std::vector<int64_t> sizes(self.sizes().begin(), self.sizes().end() - rank);
  int64_t planes = 1;
  for (const int64_t n : sizes) planes *= n;
  sizes.insert(sizes.end(), size.begin(), size.end());
  at::native::resize_output(out, sizes);
  if (out.numel() == 0) return out;
  const Dense to(out);
  const int64_t count = self.numel() / planes;
  check_index({rank == 2 ? "max_unpool2d" : "max_unpool3d", kFlat, out.numel() / planes}, index);
  scatter_into({}, 1, index.reshape({planes, count}), self.reshape({planes, count}), ONC_SCATTER_ASSIGN, true,
               to.to.view({planes, out.numel() / planes}));
  to.finish();
  return out;
}

at::Tensor& unpool_2d_out(const at::Tensor& self, const at::Tensor& index, c10::SymIntArrayRef size, at::Tensor& out) {
  return unpool(self, index, C10_AS_INTARRAYREF_SLOW(size), 2, out);
}
at::Tensor unpool_2d(const at::Tensor& self, const at::Tensor& index, c10::SymIntArrayRef size) {
  at::Tensor out = at::empty({0}, self.options());
  return unpool_2d_out(self, index, size, out);
}
// Stride and padding say nothing that the positions do not.
at::Tensor& unpool_3d_out(const at::Tensor& self, const at::Tensor& index, c10::SymIntArrayRef size, at::IntArrayRef stride,
                          at::IntArrayRef pad, at::Tensor& out) {
  TORCH_CHECK(stride.size() == 3,
              "There should be exactly three elements (depth, height, width) in stride, but got: ", stride.size(), " elements.");
  TORCH_CHECK(pad.size() == 3, "There should be exactly three elements (depth, height, width) in padding, but got: ", pad.size(),
              " elements.");
  TORCH_CHECK(stride[0] > 0 && stride[1] > 0 && stride[2] > 0, "strides should be greater than zero, but got stride: ", stride);
  return unpool(self, index, C10_AS_INTARRAYREF_SLOW(size), 3, out);
}
at::Tensor unpool_3d(const at::Tensor& self, const at::Tensor& index, c10::SymIntArrayRef size, at::IntArrayRef stride,
                     at::IntArrayRef pad) {
  at::Tensor out = at::empty({0}, self.options());
  return unpool_3d_out(self, index, size, stride, pad, out);
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::max_unpool2d, unpool_2d>(m);
  kernel<at::_ops::max_unpool2d_out, unpool_2d_out>(m);
  kernel<at::_ops::max_unpool3d, unpool_3d>(m);
  kernel<at::_ops::max_unpool3d_out, unpool_3d_out>(m);
}

}  // namespace oncilla::adapter
