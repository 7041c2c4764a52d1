// Runs a case on the plugin under test and judges it against the reference plugin. All tensors of a run lie in one arena between
// sentinels; after the run every byte that no output element owns must be as before, which covers guards, stride gaps and inputs at
// once. Every case runs for every variant that the plan offers, twice, with different poison under the outputs, and both runs must
// give the same bits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/device.hpp"
#include "ops/cases.hpp"

namespace oncilla::test {

// A tensor's elements, row-major without gaps.
using Elements = std::vector<std::byte>;

// A device with the queue and the arena that its runs use.
class Bench {
 public:
  Bench(std::shared_ptr<Backend> backend, uint32_t index);
  ~Bench();
  Bench(const Bench&) = delete;
  const Api& api() const { return device_->api(); }
  Device& device() { return *device_; }
  Queue& queue() { return *queue_; }
  bool has_fp64() const;
  // A buffer of at least so many bytes, kept and grown.
  onc_buffer* arena(size_t bytes);

 private:
  std::shared_ptr<Device> device_;
  std::unique_ptr<Queue> queue_;
  onc_buffer* arena_ = nullptr;
  size_t arena_bytes_ = 0;
};

struct Result {
  std::string name, variant;
  enum class State { passed, failed, declined } state = State::passed;
  std::string message;  // why it failed or was declined
  double seconds = 0;
};

// The inputs of a case: drawn, or fed by its forward.
std::vector<Elements> inputs_of(const Case& c, Bench& reference);
// The case's outputs on the reference plugin, from dense tensors (broadcast dims stay). Throws oncilla::Error.
std::vector<Elements> expected_of(const Case& c, const std::vector<Elements>& inputs, Bench& reference);

// One result a variant; `variant` limits them. Never throws.
std::vector<Result> run_case(const Case& c, Bench& tested, Bench& reference, const std::string& variant = "");

// The gradients of a backward case against central differences of its forward, in float64 on the reference plugin. Nothing if the
// case has no forward, is not float64 or is too large to be worth it.
std::optional<Result> check_gradients(const Case& c, Bench& reference);

// "" if the element sequences agree, else the first difference, and how many there are.
std::string compare(const Tensor& tensor, const Elements& got, const Elements& expected, Tolerance tolerance);

}  // namespace oncilla::test
