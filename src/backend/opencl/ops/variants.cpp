#include "ops/variants.hpp"

#include <algorithm>
#include <charconv>
#include <limits>

namespace oncilla::ocl {

namespace {

// "tile:TM=8,VB=64": a variant's name, and parameters.
struct Forced {
  std::string name;
  TuningValues params;

  explicit Forced(const kit::OpDesc& desc) {
    const std::string& text = desc.variant;
    const size_t colon = text.find(':');
    name = text.substr(0, colon);
    for (size_t begin = colon == std::string::npos ? text.size() : colon + 1; begin < text.size();) {
      const size_t end = std::min(text.find(',', begin), text.size()), equals = text.find('=', begin);
      int64_t value = 0;
      const char *from = text.data() + equals + 1, *to = text.data() + end;
      const std::from_chars_result read = equals < end ? std::from_chars(from, to, value) : std::from_chars_result{};
      kit::require(read.ptr == to && read.ec == std::errc(), "[", desc.name(), "] variant '", text, "': '",
                   text.substr(begin, end - begin), "' is not NAME=number");
      params[text.substr(begin, equals - begin)] = value;
      begin = end + 1;
    }
  }
};

// What a plan tells of its row: shape class, the variant's parameters, and what could be tried of all candidates.
void tell_tuning(const Device& device, const kit::OpDesc& desc, const Tuning& row, std::string_view shape_class,
                 std::initializer_list<Candidate> candidates, kit::PlanInfo& info) {
  info.shape_class = shape_class;
  const std::vector<TuningParameter>& known = device.tuning_rows().parameters(desc.name());
  for (const TuningParameter& p : known) {
    const auto found = row.params.find(p.name);
    if (p.serves(info.variant) && found != row.params.end())
      info.parameters += kit::cat(info.parameters.empty() ? "" : " ", p.name, "=", found->second);
  }
  for (const Candidate& c : candidates) {
    if (!c.fits) continue;
    info.choices += kit::cat(info.choices.empty() ? "" : " ", c.name);
    char between = ':';
    for (const TuningParameter& p : known) {
      if (p.values.empty() || !p.serves(c.name)) continue;
      info.choices += kit::cat(between, p.name);
      for (size_t i = 0; i < p.values.size(); ++i) info.choices += kit::cat(i == 0 ? "=" : "|", p.values[i]);
      between = ',';
    }
  }
}

std::string choose(const kit::OpDesc& desc, const Tuning& row, std::initializer_list<Candidate> candidates,
                   const kit::PlanInfo& info) {
  const auto fitting = [&](std::string_view name) {
    return std::any_of(candidates.begin(), candidates.end(), [&](const Candidate& c) { return c.fits && c.name == name; });
  };
  if (!desc.variant.empty()) {
    const Forced forced(desc);
    for (const Candidate& c : candidates) {
      if (forced.name == c.name && !c.fits)
        throw kit::Error(ONC_NOT_FOUND, kit::cat("[", desc.name(), "] variant '", c.name, "' needs ", c.needs,
                                                 "; this plan has: ", info.candidates));
    }
    if (!fitting(forced.name))
      throw kit::Error(ONC_NOT_FOUND,
                       kit::cat("[", desc.name(), "] no variant '", forced.name, "'; this plan has: ", info.candidates));
    return forced.name;
  }
  for (const std::string& variant : row.variants) {
    if (fitting(variant)) return variant;
  }
  for (const Candidate& c : candidates) {
    if (c.fits) return c.name;
  }
  throw kit::Error(ONC_INTERNAL, kit::cat("[", desc.name(), "] no variant fits"));
}

}  // namespace

std::string choose_variant(const Device& device, const kit::OpDesc& desc, uint32_t dtype, std::string_view shape_class,
                           std::initializer_list<Candidate> candidates, kit::PlanInfo& info) {
  info.candidates.clear();
  for (const Candidate& c : candidates) {
    if (c.fits) info.candidates += kit::cat(info.candidates.empty() ? "" : " ", c.name);
  }
  const Tuning row = tuned(device, desc, dtype, shape_class);
  info.variant = choose(desc, row, candidates, info);
  tell_tuning(device, desc, row, shape_class, candidates, info);
  return info.variant;
}

Tuning tuned(const Device& device, const kit::OpDesc& desc, uint32_t dtype, std::string_view shape_class) {
  Tuning row = tuning(device, desc.name(), dtype, shape_class);
  if (desc.variant.find(':') == std::string::npos) return row;
  const Forced forced(desc);
  const std::string wrong = check_parameters(device.tuning_rows().parameters(desc.name()), desc.name(), forced.name, forced.params);
  kit::require(wrong.empty(), "[", desc.name(), "] ", wrong);
  for (const auto& [name, value] : forced.params) row.params[name] = value;
  return row;
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
