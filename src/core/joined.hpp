// FOREACH calls that follow one another on a queue, joined into one launch. An optimizer that is written op by op passes over its
// lists many times (PyTorch's AdamW makes nine calls); joined, each list is read once and written once.
//
// A call waits at its queue until the queue is used for something else, or until a call comes that does not fit. What fits works on
// the same tensors or on others, element by element: a list that it reads is one that was just written, whose value it takes over,
// or shares no memory with what was written. The first call made again begins a new launch: joined steps of a loop would be other
// programs each time, and compiling them costs more than they save. Results are those of single launches, bit for bit: values pass
// from one to the next unrounded only where storing them would not round. An error that a single launch would have met appears
// where the queue is used next.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "core/tape.hpp"
#include "oncilla/oncilla.h"

namespace oncilla {

class Queue;

// A dense tensor for each place of the list.
struct ForeachList {
  std::vector<onc_arg> at;
  uint32_t dtype = 0;
  bool one = false;  // tensors of one element, which broadcast
};

struct ForeachCall {
  Tape tape;                    // input i is in[i], output j is out[j]
  std::vector<int64_t> numels;  // of each tensor
  std::vector<ForeachList> in, out;
  std::vector<onc_scalar> scalars;                      // for all tensors
  std::vector<std::vector<onc_scalar>> tensor_scalars;  // [number][tensor]

  // Enqueues it as it is. Takes no memory from the device's allocator, which may be the one who asks.
  void run(Queue& queue) const;
};

class Joined {
 public:
  // Where a list's tensors lie, sorted.
  struct Range {
    const onc_buffer* buffer;
    uint64_t begin, end;
  };
  using Ranges = std::vector<Range>;
  struct Places {
    std::vector<Ranges> in, out;
  };
  // Of a call that may wait and be joined: its values are as wide as their storage, and no list that it writes overlaps another
  // without being it.
  static std::optional<Places> places(const ForeachCall& call);

  Joined(ForeachCall first, Places places);
  // Appends the call, or leaves it as it is and returns false.
  bool take(ForeachCall& next, Places& places);
  void run(Queue& queue);

 private:
  bool again(const ForeachCall& next) const;  // it is the first call once more, but for its scalars
  void append(ForeachCall& next, Places& places, std::span<const Value> inputs);
  Value read(ForeachList& list, Ranges& range);

  ForeachCall call_;                        // its tape without outputs until it runs
  std::vector<uint16_t> values_, results_;  // of each of call_.in, call_.out
  Places places_;
  Tape first_;                                // of the first call
  std::vector<size_t> first_in_, first_out_;  // where its lists are in call_.in, call_.out
  uint64_t tag_ = 0;                          // of the trace, at the last call
};

}  // namespace oncilla
