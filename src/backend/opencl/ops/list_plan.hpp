// What the ops over lists of tensors share: one launch for many tensors. A cl_mem cannot lie in memory, but a caching allocator
// keeps tensors in few large buffers: a launch takes up to `segments` of them as arguments, and a table says which tensor is where.
// The table is uploaded only when it changed.
//
// The table of one launch over n tensors, in 64-bit words: first[0 … n], the first unit of each tensor and the end; then for each
// tensor a row: its length, a place for each list, words of the op's own. A place: byte offset << 16 | broadcast << 15 | segment
// (kernels/lib/list.h reads it).
#pragma once

#include <deque>
#include <memory>
#include <mutex>
#include <vector>

#include "kit/backend.hpp"
#include "ops/launching.hpp"
#include "runtime/device.hpp"

namespace oncilla::ocl {

// The buffers of a launch, unless one tensor's own lists need more.
inline constexpr uint32_t kListSegments = 8;

// One launch: its buffers, its tensors' part of the table, its spread over work-items.
struct ListLaunch {
  std::vector<onc_buffer*> segments;
  cl_ulong table_at = 0;
  size_t first = 0;          // tensor
  int64_t units_before = 0;  // of the launches before it
  cl_int tensors = 0, units = 0, per_item = 0, item_step = 0, unit_step = 0;
  size_t items = 0;
};

class ListPlan : public onc_plan {
 public:
  void run(onc_queue& queue, const kit::RunArgs& run) override;

 protected:
  // args[l * tensors + t] of a run is tensor t of list l.
  ListPlan(Device& device, kit::OpDesc&& desc, uint32_t n_scalars, size_t tensors, size_t lists);
  // How a launch is shaped; by the constructors of derived classes. length_[t] is the elements of tensor t that units are made of.
  void shape(std::vector<int64_t> length, int64_t chunk, uint32_t segments, int64_t items, int64_t local);

  virtual const kit::Tensor& tensor_of(size_t list, size_t t) const = 0;
  // Appends the op's own words of tensor t's row.
  virtual void own_words(const kit::RunArgs&, size_t, std::vector<int64_t>&) const {}
  // The scalars from this one on are in the table.
  virtual size_t shared_scalars() const = 0;
  virtual void enqueue(onc_queue& queue, const Segment& table, const ListLaunch& launch, const kit::RunArgs& run) = 0;

  // What lib/list.h needs, after shape().
  void define_segments(Defines& defines) const;
  // The arguments that every kernel over lists begins with: segments and table.
  void add_table(Kernel::Arguments& arguments, const Segment& table, const ListLaunch& launch) const;
  static void add_spread(Kernel::Arguments& arguments, const ListLaunch& launch);

  Device& device_;
  const size_t tensors_, lists_;
  uint32_t segments_ = kListSegments;
  int64_t items_ = 0, local_ = 1, chunk_ = 1;
  std::vector<int64_t> length_;

 private:
  // The last run on one queue. Each queue has a table of its own, so that a new table never overwrites one that another queue still
  // reads.
  struct Slot {
    uint64_t queue = 0;
    std::vector<onc_arg> args;
    std::vector<int64_t> scalars;  // bits of those in the table
    std::vector<ListLaunch> launches;
    std::unique_ptr<onc_buffer> table;
    bool same(const kit::RunArgs& run, size_t shared) const;
  };

  Slot& slot_of(const Queue& queue);
  void fill(Slot& slot, onc_queue& queue, const kit::RunArgs& run) const;
  void write_table(ListLaunch& launch, size_t last, const kit::RunArgs& run, std::vector<int64_t>& table) const;
  int64_t place(const ListLaunch& launch, size_t list, size_t t, const kit::RunArgs& run) const;

  std::mutex mutex_;
  std::deque<Slot> slots_;
};

}  // namespace oncilla::ocl
