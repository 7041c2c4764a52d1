// The geometry of a convolution op: read from the descriptor, with the limits of 32-bit kernels checked.
#include <limits>

#include "conv/conv.hpp"

namespace oncilla::ocl {

std::array<int32_t, 16> ConvGeometry::packed() const {
  const int64_t values[] = {n, c, h, w, k, r, s, p, q, groups, stride[0], stride[1], pad[0], pad[1], dilation[0], dilation[1]};
  std::array<int32_t, 16> packed;
  for (size_t i = 0; i < packed.size(); ++i) packed[i] = static_cast<int32_t>(values[i]);
  return packed;
}

ConvGeometry conv_geometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& w, const kit::Tensor& y,
                           const kit::Tensor* bias) {
  const auto attrs = desc.attributes<onc_conv_attrs>();
  ConvGeometry g;
  g.dtype = x.dtype;
  g.n = x.dims[0], g.c = x.dims[1], g.h = x.dims[2], g.w = x.dims[3];
  g.k = w.dims[0], g.r = w.dims[2], g.s = w.dims[3];
  g.p = y.dims[2], g.q = y.dims[3];
  g.groups = attrs.groups;
  for (size_t i = 0; i < 2; ++i) {
    g.stride[i] = attrs.stride[i], g.pad[i] = attrs.pad[i], g.dilation[i] = attrs.dilation[i];
    // Kernels add these up in 32 bits.
    const int64_t window = w.dims[2 + i];
    for (int64_t part : {x.dims[2 + i], y.dims[2 + i], window, g.stride[i], g.pad[i], g.dilation[i]}) {
      kit::support(part < (1 << 26), "[", desc.name(), "] a size of ", part, " exceeds 26 bits");
    }
    const int64_t extent = window * g.dilation[i] + g.stride[i] * y.dims[2 + i] + 2 * g.pad[i] + x.dims[2 + i];
    kit::support(extent < (1 << 30), "[", desc.name(), "] a padded extent of ", extent, " exceeds 30 bits");
  }
  for (int64_t part : {g.n, g.c, g.k}) {
    kit::support(part <= std::numeric_limits<int32_t>::max(), "[", desc.name(), "] a size of ", part, " exceeds 32 bits");
  }
  for (size_t i = 0; i < 4; ++i) g.x_strides[i] = x.strides[i], g.w_strides[i] = w.strides[i], g.y_strides[i] = y.strides[i];
  g.has_bias = bias != nullptr;
  if (bias != nullptr) g.bias_stride = bias->strides[0];
  return g;
}

}  // namespace oncilla::ocl
