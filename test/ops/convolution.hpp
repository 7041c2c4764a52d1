// The geometries of the convolution and its two gradients.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct ConvShape {
  Dims image;    // images, channels, one to three spatial sizes
  Dims filters;  // output channels, window
  // One entry a spatial dim, or one for all; none: 1, 0 and 1.
  Dims stride{}, pad{}, dilation{};
  uint32_t groups = 1;
  Layout layout = Layout::contiguous;

  size_t spatial() const { return image.size() - 2; }
  Dims x() const { return image; }
  Dims weight() const;
  Dims y() const;
  std::string name() const;
};

const std::vector<ConvShape>& conv_shapes();

enum class Bias { none, same, float32 };

// The forward; the gradients take its geometry. Wide sums draw small integers, so that they are exact in float32.
Case conv_case(uint32_t dtype, const ConvShape& shape, Bias bias, bool integers);

// The gradient by the input, or by the weight, of that forward.
enum class Wrt { input, weight };
Case conv_gradient_case(uint32_t dtype, const ConvShape& shape, Wrt wrt);

// Whether the sums of the geometry are so long that only exact inputs make PyTorch's tolerance meaningful.
bool long_sums(const ConvShape& shape);

}  // namespace oncilla::test
