// Device memory that is host memory, and how an op of this plugin is written: a plan with one variant around a function.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

#include "kit/backend.hpp"

namespace sample {

namespace kit = oncilla::kit;

inline constexpr const char* kVariant = "plain";

class Buffer final : public onc_buffer {
 public:
  explicit Buffer(uint64_t bytes) : data_(bytes) {}
  uint64_t bytes() const override { return data_.size(); }
  std::byte* data() { return data_.data(); }

 private:
  std::vector<std::byte> data_;
};

// The border has seen to it that `at` and what is read or written there lie inside the buffer.
inline std::byte* address(const onc_arg& at) { return static_cast<Buffer*>(at.buffer)->data() + at.offset; }

class Plan final : public onc_plan {
 public:
  using Run = std::function<void(const Plan& plan, const kit::RunArgs& args)>;
  Plan(kit::OpDesc description, uint32_t n_scalars, Run run) : onc_plan(std::move(description), n_scalars), run_(std::move(run)) {
    // A host may force a variant by name; there is one.
    if (!desc.variant.empty() && desc.variant != kVariant)
      throw kit::Error(ONC_NOT_FOUND,
                       kit::cat("[", desc.name(), "] no variant \"", desc.variant, "\": this plugin has \"", kVariant, "\""));
    info.variant = info.candidates = kVariant;
  }
  void run(onc_queue&, const kit::RunArgs& args) override { run_(*this, args); }

 private:
  Run run_;
};

// The element offset of each index of a tensor, row-major.
inline std::vector<int64_t> offsets(const kit::Tensor& tensor) {
  std::vector<int64_t> result;
  for (int64_t i = 0; i < tensor.numel(); ++i) {
    int64_t rest = i, offset = 0;
    for (size_t d = tensor.dims.size(); d-- > 0;) {
      offset += rest % tensor.dims[d] * tensor.strides[d];
      rest /= tensor.dims[d];
    }
    result.push_back(offset);
  }
  return result;
}

// The ops that this plugin serves. Each declines what it does not by kit::support, with the reason.
std::unique_ptr<onc_plan> make_expr(kit::OpDesc desc);
std::unique_ptr<onc_plan> make_softmax(kit::OpDesc desc);

}  // namespace sample
