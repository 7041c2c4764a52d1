// What the makers of kernel ops share: the choice of a variant, and strided views cut down to what a kernel takes as arguments.
#pragma once

#include <array>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/storage.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

// A variant that an op has, in the op's order of preference. needs: what a plan must be like where fits is false ("a contiguous
// axis").
struct Candidate {
  const char* name;
  bool fits = true;
  const char* needs = "";
};

// The variant to use: the forced one (ONC_NOT_FOUND, naming it, if this plan has none such), else that of the most specific tuning
// row that fits, else the first that fits. Fills info but for work and workspace.
std::string choose_variant(const Device& device, const kit::OpDesc& desc, uint32_t dtype, std::string_view shape_class,
                           std::initializer_list<Candidate> candidates, kit::PlanInfo& info);

// The tuning parameters of a plan: the rows', and over them those that its forced variant has ("tile:TM=8,VB=64").
// ONC_INVALID_ARGUMENT for one that the variant does not have, or a value that it does not take.
Tuning tuned(const Device& device, const kit::OpDesc& desc, uint32_t dtype, std::string_view shape_class);

// Declines what the kernels of this folder do not compute with: anything but float32, and float64 on a device that has it.
void support_float(const Device& device, const kit::OpDesc& desc, uint32_t dtype);

// Declines a dtype that is not floating, and float64 on a device without it. Halves are stored, and computed with in float32.
void support_floating(const Device& device, const kit::OpDesc& desc, uint32_t dtype);

// Lanes of lib/vector16.h.
inline constexpr int64_t kLanes = 16;

// The work-group size of variants that reduce in local memory: `wanted` cut to what the device allows, a power of two.
size_t group_size(const Device& device, size_t wanted = 256);

// Of a work-group that does a slice of several lines, how many columns it has along a line of `inner` elements: the widest power of
// two that they fill. The rest of the group takes further lines.
int32_t group_columns(int64_t inner, size_t group);

// Input i or output i of a run as a kernel argument; NULL where it is absent, also where the descriptor ends before it.
Mem arg_in(const kit::OpDesc& desc, const kit::RunArgs& run, size_t i);
Mem arg_out(const kit::OpDesc& desc, const kit::RunArgs& run, size_t i);

// Bytes of a value as the kernel computes with it, T.
inline uint32_t arithmetic_bytes(uint32_t dtype) { return dtype == ONC_F64 ? 8 : 4; }
// A number as T: a double for float64, else a float.
void add_real(Kernel::Arguments& arguments, uint32_t dtype, double value);

// Several tensors over the same index space. dims and each strides[t] have one entry a dim, outermost first.
struct Space {
  kit::Dims dims;
  std::vector<kit::Dims> strides;

  int64_t numel() const;
  // Drops dims of size 1 and joins neighbouring dims wherever every tensor steps through both as through one.
  void merge();
  // Takes the innermost dim away and returns it; a space without dims gives {1, {0, ...}}.
  struct Dim {
    int64_t size;
    std::vector<int64_t> strides;
  };
  Dim pop();
};

// A space as kernels take it (lib/space.h): eight dims, outermost first, padded in front with size 1.
inline constexpr size_t kSpaceRank = 8;
using SpaceDims = std::array<int64_t, kSpaceRank>;
using SpaceStrides = std::array<int64_t, kSpaceRank>;

// Throws ONC_UNIMPLEMENTED naming the op where more than eight dims remain after merging.
SpaceDims space_dims(const kit::OpDesc& desc, const Space& space);
SpaceStrides space_strides(const Space& space, size_t tensor);

// int32 of a size, or ONC_UNIMPLEMENTED, for what a kernel counts in 32 bits.
int32_t small(const kit::OpDesc& desc, int64_t size);

}  // namespace oncilla::ocl
