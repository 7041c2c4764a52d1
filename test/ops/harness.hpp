// Runs a case on the plugin under test and judges it against the reference plugin. All tensors of a run lie in one arena between
// sentinels; after the run every byte that no output element owns must be as before, which covers guards, stride gaps and inputs at
// once. Every case runs for every variant that the plan offers, twice, with different poison under the outputs, and both runs must
// give the same bits.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/allocator.hpp"
#include "core/device.hpp"
#include "ops/cases.hpp"

namespace oncilla::test {

// A tensor's elements, row-major without gaps.
using Elements = std::vector<std::byte>;

// A device with the queue and the arena that its runs use.
class Bench {
 public:
  // tuning_file as in onc_device_options.
  Bench(std::shared_ptr<Backend> backend, uint32_t index, const char* tuning_file = nullptr);
  ~Bench();
  Bench(const Bench&) = delete;
  const Api& api() const { return device_->api(); }
  Device& device() { return *device_; }
  Queue& queue() { return *queue_; }
  bool has_fp64() const;
  // Memory of at least so many bytes, kept and grown; from the caching allocator, which poisons what is fresh.
  onc_arg arena(size_t bytes);
  // A buffer of exactly so many bytes, kept until the end: Oclgrind takes what is at a used address for uninitialised.
  onc_arg separate(size_t bytes);

 private:
  std::shared_ptr<Device> device_;
  std::unique_ptr<Queue> queue_;
  Block arena_;
  std::vector<onc_buffer*> separate_;
};

struct Result {
  std::string name, variant;
  enum class State { passed, failed, declined, excused } state = State::passed;
  std::string message;  // why it failed, was declined or is excused (exceptions.hpp)
  double seconds = 0;
  double error = 0;  // the largest of any element, as a share of the tolerance; of a run that passed
};

// The inputs of a case: drawn, or fed by its forward.
std::vector<Elements> inputs_of(const Case& c, Bench& reference);
// The case's outputs on the reference plugin, from dense tensors (broadcast dims stay). Throws oncilla::Error.
std::vector<Elements> expected_of(const Case& c, const std::vector<Elements>& inputs, Bench& reference);

struct Choice {
  std::string variant;    // only this one, with parameters or without ("tile:TM=8"); "": all
  bool complete = false;  // declining is a failure, unless the case needs fp64 and the device has none
  // Each tensor and the workspace in a buffer of exactly its size, nothing written to outputs and workspace before, and one run:
  // what a simulator needs to see stray and uninitialised reads. There are no sentinels then.
  bool separate = false;
};

// One result a variant, or one that says why there is none. Never throws.
std::vector<Result> run_case(const Case& c, Bench& tested, Bench& reference, const Choice& choice = {});

// The gradients of a backward case against central differences of its forward, in float64 on the reference plugin. Nothing if the
// case has no forward, is not float64 or is too large to be worth it.
std::optional<Result> check_gradients(const Case& c, Bench& reference);

// "" if the element sequences agree, else the first difference, and how many there are. worst: grows to the largest error as a
// share of the tolerance.
std::string compare(const Tensor& tensor, const Elements& got, const Elements& expected, Tolerance tolerance,
                    double* worst = nullptr);

}  // namespace oncilla::test
