// The memory of one run: where each tensor lies, what is around it, and what a run may change.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "ops/cases.hpp"
#include "ops/harness.hpp"

namespace oncilla::test {

class ArenaImage {
 public:
  // poison: the byte under outputs that are not also inputs, and under the workspace.
  ArenaImage(const Case& c, const std::vector<Elements>& inputs, bool dense, uint64_t workspace_bytes, std::byte poison);

  const std::vector<std::byte>& before() const { return bytes_; }
  // Inputs then outputs, NULL buffers for absent ones; the image lies at `arena`.
  std::vector<onc_arg> args(onc_arg arena) const;
  onc_arg workspace(onc_arg arena) const;
  // Where each tensor of a case lies (inputs, outputs, workspace last): for runs in which each has a buffer of its own.
  struct Part {
    size_t offset = 0, bytes = 0;
    bool filled = false;        // an input: has values before the run
    size_t same_as = SIZE_MAX;  // an output that is this input's memory
  };
  std::vector<Part> parts() const;
  // Takes over from `bytes` (of the part) what outputs own.
  void take(const Part& part, const std::vector<std::byte>& bytes, std::vector<std::byte>& image) const;
  // The elements of output `out` in a downloaded image.
  Elements output(const std::vector<std::byte>& after, size_t out) const;
  // "" if only output elements and the workspace changed, else what did.
  std::string check_untouched(const std::vector<std::byte>& after) const;

 private:
  struct Place {
    size_t offset = 0, bytes = 0;  // offset of the first element; bytes of the span
    bool present = false;
  };
  size_t reserve(size_t bytes, size_t align, size_t shift);
  std::vector<size_t> element_offsets(const Tensor& tensor, const Place& place) const;
  std::string describe(size_t at) const;

  const Case& case_;
  bool dense_;
  std::vector<Place> places_;
  Place workspace_;
  std::vector<std::byte> bytes_;
  std::vector<bool> writable_;
};

}  // namespace oncilla::test
