// The convolutions that PyTorch's C++ names after how its CPU computes them (`torch._C._nn.slow_conv3d` and so on): convolutions
// like any other here.
#include "torch/kernel.hpp"

#include <ATen/native/Resize.h>
#include <ATen/ops/_slow_conv2d_backward_ops.h>
#include <ATen/ops/_slow_conv2d_forward_ops.h>
#include <ATen/ops/convolution.h>
#include <ATen/ops/convolution_backward.h>
#include <ATen/ops/slow_conv3d_forward_ops.h>
#include <ATen/ops/slow_conv_dilated2d_ops.h>
#include <ATen/ops/slow_conv_dilated3d_ops.h>
#include <ATen/ops/slow_conv_transpose2d_ops.h>
#include <ATen/ops/slow_conv_transpose3d_ops.h>

#include "torch/spatial.hpp"

namespace oncilla::adapter {
namespace {

using Sizes = c10::SymIntArrayRef;
using Three = std::tuple<at::Tensor, at::Tensor, at::Tensor>;

// One number stands for every spatial dim.
template <int64_t kRank>
std::vector<int64_t> each_dim(Sizes sizes) {
  const auto given = C10_AS_INTARRAYREF_SLOW(sizes);
  if (given.size() == 1) return std::vector<int64_t>(kRank, given[0]);
  return given.vec();
}

template <int64_t kRank>
at::Tensor conv(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride, Sizes pad,
                Sizes output_pad, Sizes dilation, bool transposed) {
  TORCH_CHECK(self.dim() == kRank + 1 || self.dim() == kRank + 2, "Expected an input of ", kRank + 1, " or ", kRank + 2,
              " dims, but got ", self.sizes());
  // A weight may be given as a matrix.
  std::vector<int64_t> shape = {weight.size(0), transposed ? weight.size(1) : -1};
  for (const int64_t size : each_dim<kRank>(kernel)) shape.push_back(size);
  const at::Tensor out =
      at::convolution(batched(self, kRank), weight.dim() == 2 ? weight.reshape(shape) : weight, bias, each_dim<kRank>(stride),
                      each_dim<kRank>(pad), each_dim<kRank>(dilation), transposed, each_dim<kRank>(output_pad), 1);
  return self.dim() == kRank + 1 ? out.squeeze(0) : out;
}
at::Tensor& store(const at::Tensor& result, at::Tensor& out) {
  TORCH_CHECK(out.scalar_type() == result.scalar_type() && out.device() == result.device(), "Expected an output of dtype ",
              result.scalar_type(), " on ", result.device(), ", but got ", out.scalar_type(), " on ", out.device());
  at::native::resize_output(out, result.sizes());
  return out.copy_(result);
}
const std::array<c10::SymInt, 1> kOne{1}, kZero{0};

template <int64_t kRank>
at::Tensor plain(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride, Sizes pad) {
  return conv<kRank>(self, weight, kernel, bias, stride, pad, kZero, kOne, false);
}
template <int64_t kRank>
at::Tensor& plain_out(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride, Sizes pad,
                      at::Tensor& out) {
  return store(plain<kRank>(self, weight, kernel, bias, stride, pad), out);
}
template <int64_t kRank>
at::Tensor dilated(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride, Sizes pad,
                   Sizes dilation) {
  return conv<kRank>(self, weight, kernel, bias, stride, pad, kZero, dilation, false);
}
template <int64_t kRank>
at::Tensor transposed(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride, Sizes pad,
                      Sizes output_pad, Sizes dilation) {
  return conv<kRank>(self, weight, kernel, bias, stride, pad, output_pad, dilation, true);
}
template <int64_t kRank>
at::Tensor& transposed_out(const at::Tensor& self, const at::Tensor& weight, Sizes kernel, const Maybe& bias, Sizes stride,
                           Sizes pad, Sizes output_pad, Sizes dilation, at::Tensor& out) {
  return store(transposed<kRank>(self, weight, kernel, bias, stride, pad, output_pad, dilation), out);
}

Three grad_2d(const at::Tensor& grad, const at::Tensor& self, const at::Tensor& weight, Sizes, Sizes stride, Sizes pad,
              std::array<bool, 3> mask) {
  auto [input, weights, bias] =
      at::convolution_backward(batched(grad, 2), batched(self, 2), weight, at::OptionalIntArrayRef({weight.size(0)}),
                               each_dim<2>(stride), each_dim<2>(pad), {1, 1}, false, {0, 0}, 1, mask);
  return {input.defined() ? input.view(self.sizes()) : input, weights, bias};
}
std::tuple<at::Tensor&, at::Tensor&, at::Tensor&> grad_2d_out(const at::Tensor& grad, const at::Tensor& self,
                                                              const at::Tensor& weight, Sizes kernel, Sizes stride, Sizes pad,
                                                              at::Tensor& input, at::Tensor& weights, at::Tensor& bias) {
  const auto [a, b, c] = grad_2d(grad, self, weight, kernel, stride, pad, {true, true, true});
  return {store(a, input), store(b, weights), store(c, bias)};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_slow_conv2d_forward, plain<2>>(m);
  kernel<at::_ops::_slow_conv2d_forward_output, plain_out<2>>(m);
  kernel<at::_ops::_slow_conv2d_backward_output_mask, grad_2d>(m);
  kernel<at::_ops::_slow_conv2d_backward_grad_input, grad_2d_out>(m);
  kernel<at::_ops::slow_conv3d_forward, plain<3>>(m);
  kernel<at::_ops::slow_conv3d_forward_output, plain_out<3>>(m);
  kernel<at::_ops::slow_conv_dilated2d, dilated<2>>(m);
  kernel<at::_ops::slow_conv_dilated3d, dilated<3>>(m);
  kernel<at::_ops::slow_conv_transpose2d_out, transposed_out<2>>(m);
  kernel<at::_ops::slow_conv_transpose3d, transposed<3>>(m);
  kernel<at::_ops::slow_conv_transpose3d_out, transposed_out<3>>(m);
}

}  // namespace oncilla::adapter
