// Layout of a run's arena. Guards are wider than any vector store; gaps and guards hold the same sentinel.
#include "ops/arena.hpp"

#include <cstring>

namespace oncilla::test {
namespace {

constexpr size_t kGuard = 512;
constexpr std::byte kSentinel{0xC3};

}  // namespace

size_t ArenaImage::reserve(size_t bytes, size_t align, size_t shift) {
  const size_t offset = (bytes_.size() + kGuard + align - 1) / align * align + shift;
  bytes_.resize(offset + bytes + kGuard, kSentinel);
  return offset;
}

ArenaImage::ArenaImage(const Case& c, const std::vector<Elements>& inputs, bool dense, uint64_t workspace_bytes, std::byte poison)
    : case_(c), dense_(dense) {
  const size_t n_in = c.in.size();
  for (size_t i = 0; i < n_in + c.out.size(); ++i) {
    const Tensor& tensor = i < n_in ? c.in[i] : c.out[i - n_in];
    Place place;
    place.present = tensor.dtype != 0;
    for (const auto& [out, in] : c.aliases) {
      if (i == n_in + out) {
        places_.push_back(places_[in]);
        place.present = false;
      }
    }
    if (places_.size() > i) continue;
    if (place.present) {
      int64_t span = tensor.numel() == 0 ? 0 : 1;
      const Dims strides = layout_strides(tensor.dims, dense ? Layout::contiguous : tensor.layout, tensor.broadcast);
      for (size_t d = 0; d < strides.size() && span > 0; ++d) span += (tensor.dims[d] - 1) * strides[d];
      // Unless the case says where, half of all tensors begin at an offset that only their element size divides.
      const size_t item = item_bytes(tensor.dtype), by_name = (hash(c.name.c_str()) + i) % 2 ? 3 : 0;
      const size_t shift = item * (c.offset < 0 ? by_name : static_cast<size_t>(c.offset));
      place.bytes = static_cast<size_t>(span) * item;
      place.offset = reserve(place.bytes, 64, shift);
    }
    places_.push_back(place);
  }
  workspace_ = {.offset = reserve(workspace_bytes, 64, 0), .bytes = workspace_bytes, .present = workspace_bytes > 0};

  writable_.assign(bytes_.size(), false);
  std::memset(bytes_.data() + workspace_.offset, static_cast<int>(poison), workspace_.bytes);
  std::fill_n(writable_.begin() + static_cast<std::ptrdiff_t>(workspace_.offset), workspace_.bytes, true);
  for (size_t o = 0; o < c.out.size(); ++o) {
    const size_t item = c.out[o].dtype ? item_bytes(c.out[o].dtype) : 0;
    for (size_t at : element_offsets(c.out[o], places_[n_in + o])) {
      std::memset(bytes_.data() + at, static_cast<int>(poison), item);
      std::fill_n(writable_.begin() + static_cast<std::ptrdiff_t>(at), item, true);
    }
  }
  for (size_t i = 0; i < n_in; ++i) {
    const size_t item = c.in[i].dtype ? item_bytes(c.in[i].dtype) : 0;
    const std::byte* from = inputs[i].data();
    for (size_t at : element_offsets(c.in[i], places_[i])) {
      std::memcpy(bytes_.data() + at, from, item);
      from += item;
    }
  }
}

std::vector<size_t> ArenaImage::element_offsets(const Tensor& tensor, const Place& place) const {
  std::vector<size_t> offsets;
  if (!place.present) return offsets;
  const Dims strides = layout_strides(tensor.dims, dense_ ? Layout::contiguous : tensor.layout, tensor.broadcast);
  const size_t item = item_bytes(tensor.dtype);
  const int64_t numel = tensor.numel();
  for (int64_t i = 0; i < numel; ++i) {
    int64_t rest = i, element = 0;
    for (size_t d = tensor.dims.size(); d-- > 0;) {
      element += rest % tensor.dims[d] * strides[d];
      rest /= tensor.dims[d];
    }
    offsets.push_back(place.offset + static_cast<size_t>(element) * item);
  }
  return offsets;
}

std::vector<onc_arg> ArenaImage::args(onc_arg arena) const {
  std::vector<onc_arg> args;
  for (const Place& place : places_) {
    args.push_back(place.present ? onc_arg{arena.buffer, arena.offset + place.offset} : onc_arg{nullptr, 0});
  }
  return args;
}

onc_arg ArenaImage::workspace(onc_arg arena) const {
  return workspace_.present ? onc_arg{arena.buffer, arena.offset + workspace_.offset} : onc_arg{nullptr, 0};
}

std::vector<ArenaImage::Part> ArenaImage::parts() const {
  const size_t n_in = case_.in.size();
  std::vector<Part> parts;
  for (size_t i = 0; i < places_.size(); ++i) {
    parts.push_back({places_[i].offset, places_[i].present ? places_[i].bytes : 0, i < n_in});
  }
  for (const auto& [out, in] : case_.aliases) parts[n_in + out].same_as = in;
  parts.push_back({workspace_.offset, workspace_.bytes, false});
  return parts;
}

void ArenaImage::take(const Part& part, const std::vector<std::byte>& bytes, std::vector<std::byte>& image) const {
  for (size_t k = 0; k < part.bytes; ++k) {
    if (writable_[part.offset + k]) image[part.offset + k] = bytes[k];
  }
}

Elements ArenaImage::output(const std::vector<std::byte>& after, size_t out) const {
  Elements elements;
  const Tensor& tensor = case_.out[out];
  if (tensor.dtype == 0) return elements;
  const auto item = static_cast<std::ptrdiff_t>(item_bytes(tensor.dtype));
  for (size_t at : element_offsets(tensor, places_[case_.in.size() + out])) {
    const auto from = after.begin() + static_cast<std::ptrdiff_t>(at);
    elements.insert(elements.end(), from, from + item);
  }
  return elements;
}

std::string ArenaImage::check_untouched(const std::vector<std::byte>& after) const {
  size_t changed = 0, first = 0;
  for (size_t at = 0; at < bytes_.size(); ++at) {
    if (writable_[at] || after[at] == bytes_[at]) continue;
    if (changed++ == 0) first = at;
  }
  if (changed == 0) return "";
  return std::to_string(changed) + " bytes changed that no output element owns, the first " + describe(first);
}

std::string ArenaImage::describe(size_t at) const {
  std::string nearest = "at the arena's byte " + std::to_string(at);
  size_t best = SIZE_MAX;
  const size_t n_in = case_.in.size();
  for (size_t i = 0; i <= places_.size(); ++i) {
    const Place& place = i < places_.size() ? places_[i] : workspace_;
    if (!place.present) continue;
    const std::string what = i == places_.size() ? "the workspace"
                             : i < n_in          ? "input " + std::to_string(i)
                                                 : "output " + std::to_string(i - n_in);
    if (at >= place.offset && at < place.offset + place.bytes) {
      return "inside " + what + " (" + (i < n_in ? "an element or gap of an input" : "a gap between elements") + "), byte " +
             std::to_string(at - place.offset) + " of " + std::to_string(place.bytes);
    }
    const size_t distance = at < place.offset ? place.offset - at : at - place.offset - place.bytes + 1;
    if (distance < best) {
      best = distance;
      nearest = std::to_string(distance) + (at < place.offset ? " bytes before " : " bytes past the end of ") + what;
    }
  }
  return nearest;
}

}  // namespace oncilla::test
