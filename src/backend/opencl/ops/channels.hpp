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
  // int channels, rows, inner; int8 dims; long8 row strides, long channel strides, long inner strides of each tensor.
  void add_to(Kernel::Arguments& arguments) const;

 private:
  Defines defines_;
  Range global_, local_;
  int32_t channels_ = 0, rows_ = 0, inner_ = 0;
  SpaceDims dims_{};
  std::vector<SpaceStrides> row_strides_;
  std::vector<int64_t> channel_strides_, inner_strides_;
};

// The strides of up to eight [C] tensors: these inputs, then these outputs; 0 for an absent one.
std::array<int64_t, 8> channel_vector_strides(const kit::OpDesc& desc, std::initializer_list<size_t> in,
                                              std::initializer_list<size_t> out);

}  // namespace oncilla::ocl
