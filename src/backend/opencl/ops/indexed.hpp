// What scans, sorts and indexed ops share: the definitions of a dtype's values beyond its storage, and filling a strided tensor
// from another one or with zeros.
#pragma once

#include "ops/variants.hpp"

namespace oncilla::ocl {

// set_storage() and what comparisons and wrapping arithmetic need: LOWEST and HIGHEST; for integers UNSIGNED, the type in which
// they wrap; BOOLEAN for bool.
void set_values(Defines& defines, uint32_t dtype);

// Declines float64 on a device without it; every other dtype is served.
void support_values(const Device& device, const kit::OpDesc& desc, uint32_t dtype);

// y = x, or zeros where there is no x. Nothing is done where both are the same memory.
class Refill {
 public:
  Refill(Device& device, const kit::OpDesc& desc, const std::optional<kit::Tensor>& x, const kit::Tensor& y, bool wide);
  void run(onc_queue& queue, Mem x, Mem y);

 private:
  std::string op_;
  bool empty_, dense_, same_strides_, wide_;
  uint64_t bytes_;
  int64_t rows_ = 0, inner_ = 1, part_ = 1;
  SpaceDims dims_{};
  SpaceStrides x_strides_{}, y_strides_{};
  int64_t x_step_ = 0, y_step_ = 0;
  Kernel kernel_;
};

}  // namespace oncilla::ocl
