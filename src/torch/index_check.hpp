// Indices out of range, found without a wait for each op. An index lies in device memory, where only a kernel can look at it: an op
// by index enqueues a reduction of its index to the least and the largest value, into a word of its own. Where the host waits for a
// stream anyway it gets the words that were written since, compares them with what the ops allow, and raises the first op's
// IndexError. Without an op by index since the last wait nothing is copied.
#pragma once

#include <ATen/core/Tensor.h>
#include <c10/core/Stream.h>

#include <array>
#include <cstdint>
#include <optional>

#include "core/op.hpp"
#include "torch/device.hpp"

namespace oncilla::adapter {

// What an op allows its index to hold, and how the error names it.
struct IndexRange {
  const char* op;  // a literal
  int64_t dim;     // kFlat: the index counts the elements of the flattened tensor
  int64_t size;
  bool wrap = false;  // -size ... -1 count from the end
  const char* what = "index";
};
constexpr int64_t kFlat = -1;

// False with ONCILLA_CHECK_INDEX=0, and in a backward of PyTorch's own: its index is one that was looked at in the forward.
bool checks_indices();

// One launch over the index, of any integer dtype and strides. `ignored` is a value that is always allowed.
void check_index(const IndexRange& range, const at::Tensor& index, std::optional<int64_t> ignored = std::nullopt);

// The same within an op's own tape, which reduces over all its dims: a launch less.
class IndexWatch {
 public:
  IndexWatch(c10::DeviceIndex device, const IndexRange& range);  // on the device's current stream
  ~IndexWatch();
  IndexWatch(const IndexWatch&) = delete;
  IndexWatch& operator=(const IndexWatch&) = delete;
  // Two outputs more, behind those that the op has. index: a value of the full space.
  void add(Op& op, Tape& tape, Value index);
  void enqueued();  // the op was: without this the word counts for nothing

 private:
  struct IndexWords* words_;
  uint64_t number_;
  bool enqueued_ = false;
};

// How many words of each stream are on the host once a wait is over.
struct IndexMark {
  std::array<uint64_t, kStreams> upto{};
};
// Before a wait for the stream, or the record of an event on it: lets fresh words follow to the host.
IndexMark mark_indices(const c10::Stream& stream);
// After the wait: raises IndexError, and forgets what was marked.
void raise_indices(c10::DeviceIndex device, const IndexMark& mark);
// Another stream of the device waits for the event that was recorded with the mark: its words are done when that stream's are.
void join_indices(const c10::Stream& stream, const IndexMark& mark);

}  // namespace oncilla::adapter
