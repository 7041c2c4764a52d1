#include "ops/channels.hpp"

#include <algorithm>

namespace oncilla::ocl {
namespace {

bool all_one(const std::vector<int64_t>& strides) {
  return std::all_of(strides.begin(), strides.end(), [](int64_t s) { return s == 1; });
}

}  // namespace

ChannelLaunch::ChannelLaunch(const Device& device, const kit::OpDesc& desc, std::initializer_list<const kit::Tensor*> tensors,
                             kit::PlanInfo& info)
    : wide_(wide_index(desc)) {
  const kit::Tensor& first = **tensors.begin();
  Space space;
  space.dims = first.dims;
  space.dims.erase(space.dims.begin() + 1);
  for (const kit::Tensor* tensor : tensors) {
    channel_strides_.push_back(tensor->strides[1]);
    space.strides.push_back(tensor->strides);
    space.strides.back().erase(space.strides.back().begin() + 1);
  }
  space.merge();
  const Space::Dim inner = space.pop();
  inner_strides_ = inner.strides;
  channels_ = first.dims[1];
  inner_ = inner.size;
  rows_ = space.numel();
  dims_ = space_dims(desc, space);
  for (size_t t = 0; t < tensors.size(); ++t) row_strides_.push_back(space_strides(space, t));

  const bool neighbours = all_one(inner_strides_) || inner_ == 1, side_by_side = all_one(channel_strides_);
  const std::string variant = choose_variant(device, desc, first.dtype, neighbours && inner_ > 1 ? "planes" : "interleaved",
                                             {{"channel", neighbours, "neighbouring elements of a channel"},
                                              {"block", side_by_side, "channels that are neighbours in memory"},
                                              {"item"},
                                              {"group"}},
                                             info);
  set_storage(defines_, first.dtype);
  set_index(defines_, wide_);
  global_.x = static_cast<size_t>(channels_);
  if (variant == "channel") {
    defines_.set("CHANNEL", 1);
  } else if (variant == "block") {
    defines_.set("BLOCK", 1);
    global_.x = static_cast<size_t>(ceil_div(channels_, kLanes));
  } else if (variant == "group") {
    local_.x = group_size(device);
    global_.x *= local_.x;
    defines_.set("GROUP", static_cast<int64_t>(local_.x)).set("COLUMNS", group_columns(inner_, local_.x));
  } else {
    defines_.set("ITEM", 1);
  }
}

void ChannelLaunch::add_to(Kernel::Arguments& arguments) const {
  for (int64_t count : {channels_, rows_, inner_}) arguments.add(Index{count, wide_});
  arguments.add(dims_);
  for (const SpaceStrides& strides : row_strides_) arguments.add(strides);
  for (int64_t stride : channel_strides_) arguments.add(stride);
  for (int64_t stride : inner_strides_) arguments.add(stride);
}

void set_parameters(Defines& defines, const kit::OpDesc& desc, uint32_t dtype, std::initializer_list<size_t> in,
                    std::initializer_list<size_t> out) {
  bool wider = false;
  for (size_t i : in) wider |= desc.has_in(i) && desc.input(i).dtype != dtype;
  for (size_t i : out) wider |= desc.has_out(i) && desc.output(i).dtype != dtype;
  if (wider) defines.set("PARAMS_IN_T", 1);
}

std::array<int64_t, 8> channel_vector_strides(const kit::OpDesc& desc, std::initializer_list<size_t> in,
                                              std::initializer_list<size_t> out) {
  std::array<int64_t, 8> strides{};
  auto next = strides.begin();
  for (size_t i : in) *next++ = desc.has_in(i) ? desc.input(i).strides[0] : 0;
  for (size_t i : out) *next++ = desc.has_out(i) ? desc.output(i).strides[0] : 0;
  return strides;
}

}  // namespace oncilla::ocl
