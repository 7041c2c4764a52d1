// Convolution and its two gradients: the geometry as kernels take it, and the providers that ops/conv*.cpp choose from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

using Strides4 = std::array<int64_t, 4>;

struct ConvGeometry {
  uint32_t dtype = 0;
  int64_t n = 0, c = 0, h = 0, w = 0, k = 0, r = 0, s = 0, p = 0, q = 0, groups = 1;
  std::array<int64_t, 2> stride{}, pad{}, dilation{};
  Strides4 x_strides{}, w_strides{}, y_strides{};
  int64_t bias_stride = 0;
  bool has_bias = false;

  std::array<int32_t, 16> packed() const;  // conv_geometry of lib/conv.h
  uint64_t flops() const { return static_cast<uint64_t>(2 * n * k * p * q * (c / groups) * r * s); }
};

// x is the tensor of [N, C, H, W], y of [N, K, P, Q], w of [K, C / groups, R, S], whichever of them is the output. Declines what
// kernels cannot count in 32 bits.
ConvGeometry conv_geometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& w, const kit::Tensor& y,
                           const kit::Tensor* bias);

// x, w, bias and y as the geometry names them.
struct ConvOperands {
  Mem x, w, bias, y;
  onc_arg workspace;
};

class Conv {
 public:
  virtual ~Conv() = default;
  virtual uint64_t workspace_bytes() const { return 0; }
  virtual void run(onc_queue& queue, const ConvOperands& operands) = 0;
};

// One work-item an element of the output, any geometry.
std::unique_ptr<Conv> make_direct_conv(Device& device, const ConvGeometry& geometry);
std::unique_ptr<Conv> make_direct_conv_grad_input(Device& device, const ConvGeometry& geometry);
std::unique_ptr<Conv> make_direct_conv_grad_weight(Device& device, const ConvGeometry& geometry);

// For CPU-class devices: register tiles over padded copies. No tensor may be empty. Parameters TM and VB as of matmul; for the
// weight gradient CACHE (bytes of a chunk of images) and LEAST (elements of a channel in a chunk).
std::unique_ptr<Conv> make_tile_conv(Device& device, const ConvGeometry& geometry, const Tuning& tuning);
std::unique_ptr<Conv> make_tile_conv_grad_input(Device& device, const ConvGeometry& geometry, const Tuning& tuning);
std::unique_ptr<Conv> make_tile_conv_grad_weight(Device& device, const ConvGeometry& geometry, const Tuning& tuning);

}  // namespace oncilla::ocl
