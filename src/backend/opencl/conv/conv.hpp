// Convolution and its two gradients: the geometry as kernels take it, and the providers that ops/conv*.cpp choose from.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "expr/epilogue.hpp"
#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

using Strides = std::array<int64_t, 8>;  // image, channel, depth, row, column; a long8 of the kernels
using Size3 = std::array<int64_t, 3>;    // depth, height, width
inline int64_t volume(const Size3& size) { return size[0] * size[1] * size[2]; }

// In three spatial dims; fewer are padded in front with size 1.
struct ConvGeometry {
  uint32_t dtype = 0, bias_dtype = 0;  // bias_dtype 0: no bias
  bool wide = false;                   // count elements in 64 bits
  int64_t n = 0, c = 0, k = 0, groups = 1;
  Size3 in{1, 1, 1}, window{1, 1, 1}, out{1, 1, 1}, stride{1, 1, 1}, pad{}, dilation{1, 1, 1};
  Strides x_strides{}, w_strides{}, y_strides{};
  int64_t bias_stride = 0;
  // The epilogue, and its further tensors as batches of matrices, output channels by places.
  const kit::Tape* epilogue = nullptr;
  std::vector<EpilogueTensor> further;

  std::array<int32_t, 16> sizes() const, steps() const;  // CONV_GEOMETRY of lib/conv.h
  int has_bias() const { return bias_dtype == 0 ? 0 : bias_dtype == dtype ? 1 : 2; }
  int64_t rows() const { return k / groups; }      // output channels of a group
  int64_t channels() const { return c / groups; }  // input channels of a group
  uint64_t flops() const { return static_cast<uint64_t>(2 * n * k * volume(out) * channels() * volume(window)); }
  // T, E and I of the kernels.
  Defines defines() const;
};

// x is the tensor of [N, C, ...], y of [N, K, ...], w of [K, C / groups, ...], whichever of them is the output. Declines what
// kernels cannot count in 32 bits.
ConvGeometry conv_geometry(const kit::OpDesc& desc, const kit::Tensor& x, const kit::Tensor& w, const kit::Tensor& y,
                           const kit::Tensor* bias);

enum class Direction { forward, input, weight };

// x, w, bias and y as the geometry names them; the epilogue's tensors and scalars.
struct ConvOperands {
  Mem x, w, bias, y;
  onc_arg workspace;
  std::vector<Mem> further{};
  std::span<const onc_scalar> scalars{};
};

// How the kernels of a plan end: the prelude that they are compiled with, and their last arguments.
class ConvEnding {
 public:
  ConvEnding() = default;
  ConvEnding(const ConvGeometry& geometry, int64_t vector);
  std::string prelude() const { return text_ ? text_->prelude() : ""; }
  template <class... Args>
  void launch(Kernel& kernel, onc_queue& queue, Range global, Range local, const ConvOperands& operands,
              const Args&... args) const {
    kernel.launch_with(queue, global, local, [&](Kernel::Arguments& arguments) {
      (arguments.add(args), ...);
      if (text_) text_->add(arguments, operands.further, operands.scalars);
    });
  }

 private:
  std::optional<EpilogueText> text_;
};

class Conv {
 public:
  virtual ~Conv() = default;
  virtual uint64_t workspace_bytes() const { return 0; }
  virtual void run(onc_queue& queue, const ConvOperands& operands) = 0;
};

// One work-item an element of the output, any geometry.
std::unique_ptr<Conv> make_direct_conv(Device& device, const ConvGeometry& geometry, Direction direction);

// For CPU-class devices: register tiles over padded copies; only where tile_fits. Parameters TM and VB as of matmul; for the weight
// gradient CACHE (bytes of a chunk of images) and LEAST (elements of a channel in a chunk).
std::unique_ptr<Conv> make_tile_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool tile_fits(const ConvGeometry& geometry, Direction direction);

// For CPU-class devices: one matrix product for all images; only where product_fits. Parameters of the matrix product's tile: TM,
// VB, KC.
std::unique_ptr<Conv> make_product_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool product_fits(const ConvGeometry& geometry, Direction direction);
// Of one that fits: whether its operands are the tensors or a copy of the image, so that no columns are gathered.
bool is_product(const ConvGeometry& geometry, Direction direction);

// For CPU-class devices, forward and input gradient of 3 x 3 windows in steps of one: Winograd's F(2 x 2, 3 x 3) over the matrix
// product's tile; only where winograd_fits. Parameters TM, VB, KC.
std::unique_ptr<Conv> make_winograd_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool winograd_fits(const Device& device, const ConvGeometry& geometry, Direction direction);

// The weight gradient on CPU-class devices where there are few output places; only where tile_fits. Parameters TM and VB.
std::unique_ptr<Conv> make_outer_conv(Device& device, const ConvGeometry& geometry, const Tuning& tuning);

// For CPU-class devices and as many groups as input channels: blocks of a channel in local memory; only where depthwise_fits.
// Parameters VB, and LOCAL, the bytes that a block should take.
std::unique_ptr<Conv> make_depthwise_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool depthwise_fits(const Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);

// The same in two dims for small windows, except the weight gradient: sums of several rows in registers; only where window_fits.
// Parameters VB and LOCAL.
std::unique_ptr<Conv> make_window_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool window_fits(const Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);

// For CPU-class devices, in two dims, few input channels: the rows of an image that a strip of output rows needs in local memory;
// only where strip_fits. Parameters TM, VB, and LOCAL, the bytes that they should take.
std::unique_ptr<Conv> make_strip_conv(Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);
bool strip_fits(const Device& device, const ConvGeometry& geometry, Direction direction, const Tuning& tuning);

}  // namespace oncilla::ocl
