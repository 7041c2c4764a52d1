// Batch normalisation and its gradient see their tensors as channels of rows: this file turns descriptors into that view, chooses
// the variant by it, and gives the launch. kernels/lib/channel.h is the kernels' side.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "ops/variants.hpp"

namespace oncilla::ocl {

// The [N, C, ...] tensors of an op, in the order of the kernel's arguments, as the kernel takes them.
class ChannelLaunch {
 public:
  // Chooses the variant (into info) and sets its definitions. All tensors have the first one's dims; their descriptors outlive this
  // object.
  ChannelLaunch(const Device& device, const kit::OpDesc& desc, std::initializer_list<const kit::Tensor*> tensors,
                kit::PlanInfo& info);

  Defines& defines() { return defines_; }
  Range global() const { return global_; }
  Range local() const { return local_; }
  // I channels, rows, inner; long8 dims; long8 row strides, long channel strides, long inner strides of each tensor.
  void add_to(Kernel::Arguments& arguments) const;

 private:
  Defines defines_;
  Range global_, local_;
  const bool wide_;
  int64_t channels_ = 0, rows_ = 0, inner_ = 0;
  SpaceDims dims_{};
  std::vector<SpaceStrides> row_strides_;
  std::vector<int64_t> channel_strides_, inner_strides_;
};

// Defines what lib/param.h reads: these inputs and outputs, all weights and the like, are stored as `dtype`, the tensor's, or in
// float32 beside a half.
void set_parameters(Defines& defines, const kit::OpDesc& desc, uint32_t dtype, std::initializer_list<size_t> in,
                    std::initializer_list<size_t> out);

// The strides of up to eight [C] tensors: these inputs, then these outputs; 0 for an absent one.
std::array<int64_t, 8> channel_vector_strides(const kit::OpDesc& desc, std::initializer_list<size_t> in,
                                              std::initializer_list<size_t> out);

}  // namespace oncilla::ocl
