#include "ops/variants.hpp"

#include <algorithm>
#include <limits>

#include "runtime/tuning.hpp"

namespace oncilla::ocl {

std::string choose_variant(const Device& device, const kit::OpDesc& desc, uint32_t dtype, std::string_view shape_class,
                           std::initializer_list<Candidate> candidates, kit::PlanInfo& info) {
  const auto fitting = [&](std::string_view name) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.fits && c.name == name; });
  };
  info.candidates.clear();
  for (const Candidate& c : candidates) {
    if (c.fits) info.candidates += (info.candidates.empty() ? "" : " ") + std::string(c.name);
  }
  if (!desc.variant.empty()) {
    for (const Candidate& c : candidates) {
      if (desc.variant == c.name && !c.fits)
        throw kit::Error(ONC_NOT_FOUND, kit::cat("[", desc.name(), "] variant '", c.name, "' needs ", c.needs,
                                                 "; this plan has: ", info.candidates));
    }
    if (!fitting(desc.variant))
      throw kit::Error(ONC_NOT_FOUND,
                       kit::cat("[", desc.name(), "] no variant '", desc.variant, "'; this plan has: ", info.candidates));
    return info.variant = desc.variant;
  }
  const std::string& tuned = tuning(device, desc.name(), dtype, shape_class).variant;
  if (fitting(tuned)) return info.variant = tuned;
  for (const Candidate& c : candidates) {
    if (c.fits) return info.variant = c.name;
  }
  throw kit::Error(ONC_INTERNAL, kit::cat("[", desc.name(), "] no variant fits"));
}

void support_float(const Device& device, const kit::OpDesc& desc, uint32_t dtype) {
  kit::support(dtype == ONC_F32 || dtype == ONC_F64, "[", desc.name(), "] ", kit::dtype_name(dtype),
               " is not served, only float32 and float64: cast around the op");
  kit::support(dtype != ONC_F64 || device.features().fp64, "[", desc.name(), "] float64 on a device without fp64");
}

void support_floating(const Device& device, const kit::OpDesc& desc, uint32_t dtype) {
  kit::support(kit::dtype_kind(dtype) == 'f', "[", desc.name(), "] ", kit::dtype_name(dtype),
               " is not served, only floating dtypes");
  kit::support(dtype != ONC_F64 || device.features().fp64, "[", desc.name(), "] float64 on a device without fp64");
}

size_t group_size(const Device& device, size_t wanted) {
  size_t size = 1;
  while (size * 2 <= std::min(wanted, device.max_work_group())) size *= 2;
  return size;
}

int32_t group_columns(int64_t inner, size_t group) {
  int32_t columns = 1;
  while (columns * 2 <= static_cast<int64_t>(group) && columns < inner) columns *= 2;
  return columns;
}

Mem arg_in(const kit::OpDesc& desc, const kit::RunArgs& run, size_t i) {
  return desc.has_in(i) ? Mem{run.args[i], static_cast<uint32_t>(kit::dtype_bytes(desc.input(i).dtype))} : no_mem();
}

Mem arg_out(const kit::OpDesc& desc, const kit::RunArgs& run, size_t i) {
  return desc.has_out(i) ? Mem{run.args[desc.in.size() + i], static_cast<uint32_t>(kit::dtype_bytes(desc.output(i).dtype))}
                         : no_mem();
}

void add_real(Kernel::Arguments& arguments, uint32_t dtype, double value) {
  if (dtype == ONC_F64) {
    arguments.add(value);
  } else {
    arguments.add(static_cast<float>(value));
  }
}

int64_t Space::numel() const {
  int64_t n = 1;
  for (int64_t d : dims) n *= d;
  return n;
}

void Space::merge() {
  Space out;
  out.strides.resize(strides.size());
  for (size_t i = 0; i < dims.size(); ++i) {
    if (dims[i] == 1) continue;
    bool joins = !out.dims.empty();
    for (size_t t = 0; joins && t < strides.size(); ++t) joins = out.strides[t].back() == strides[t][i] * dims[i];
    if (joins) {
      out.dims.back() *= dims[i];
    } else {
      out.dims.push_back(dims[i]);
    }
    for (size_t t = 0; t < strides.size(); ++t) {
      if (joins) {
        out.strides[t].back() = strides[t][i];
      } else {
        out.strides[t].push_back(strides[t][i]);
      }
    }
  }
  *this = std::move(out);
}

Space::Dim Space::pop() {
  Dim dim{1, std::vector<int64_t>(strides.size(), 0)};
  if (dims.empty()) return dim;
  dim.size = dims.back();
  dims.pop_back();
  for (size_t t = 0; t < strides.size(); ++t) {
    dim.strides[t] = strides[t].back();
    strides[t].pop_back();
  }
  return dim;
}

SpaceDims space_dims(const kit::OpDesc& desc, const Space& space) {
  kit::support(space.dims.size() <= kSpaceRank, "[", desc.name(), "] ", space.dims.size(), " dims that do not merge exceed ",
               kSpaceRank);
  SpaceDims dims;
  dims.fill(1);
  std::copy(space.dims.begin(), space.dims.end(), dims.end() - static_cast<int64_t>(space.dims.size()));
  return dims;
}

SpaceStrides space_strides(const Space& space, size_t tensor) {
  SpaceStrides strides;
  strides.fill(0);
  const kit::Dims& from = space.strides[tensor];
  std::copy(from.begin(), from.end(), strides.end() - static_cast<int64_t>(from.size()));
  return strides;
}

int32_t small(const kit::OpDesc& desc, int64_t size) {
  kit::support(size <= std::numeric_limits<int32_t>::max(), "[", desc.name(), "] a size of ", size, " exceeds 32 bits");
  return static_cast<int32_t>(size);
}

}  // namespace oncilla::ocl
