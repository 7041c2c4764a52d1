// Layer and group normalisation are one plan each way: they differ in which dims a slice has and along which a weight varies.
#pragma once

#include <memory>
#include <vector>

#include "kit/backend.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// What a normalisation is over, in dims that both sorts of tensors are views of: [N, C, ...] of GROUP_NORM as [N, G, C/G, ...].
struct Normalization {
  kit::Dims dims;
  std::vector<bool> of_slice;      // the dim counts slices: mean and invstd vary along it
  std::vector<bool> of_weight;     // weight and bias vary along it
  int64_t channels_per_group = 0;  // GROUP_NORM: dim 1 of the tensors is dims 1 and 2 here
  bool rms = false;

  kit::Dims data(const kit::Tensor& tensor) const;       // strides of x, y and the like
  kit::Dims weight(const kit::Tensor* tensor) const;     // of weight, bias and their gradients; zeros for an absent one
  kit::Dims statistic(const kit::Tensor* tensor) const;  // of mean and invstd
};

Normalization layer_normalization(const kit::OpDesc& desc, const kit::Tensor& x);
Normalization group_normalization(const kit::OpDesc& desc, const kit::Tensor& x);

std::unique_ptr<onc_plan> make_normalize_plan(Device& device, kit::OpDesc desc,
                                              Normalization (*of)(const kit::OpDesc&, const kit::Tensor&));
std::unique_ptr<onc_plan> make_normalize_grad_plan(Device& device, kit::OpDesc desc,
                                                   Normalization (*of)(const kit::OpDesc&, const kit::Tensor&));

}  // namespace oncilla::ocl
