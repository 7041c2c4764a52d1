// The recorder behind memory_history.hpp. The allocator tells of its actions under its lock; Python's frames need the interpreter's
// lock, which a thread may hold while it waits for the allocator's. So stacks are gathered before.
#include "torch/memory_history.hpp"

#include <c10/util/ApproximateClock.h>
#include <torch/csrc/profiler/python/combined_traceback.h>

#include <atomic>
#include <chrono>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "core/allocator.hpp"
#include "torch/device.hpp"

namespace py = pybind11;

namespace oncilla::adapter {
namespace {

using Stack = std::shared_ptr<torch::CapturedTraceback>;

struct Entry {
  MemoryAction action;
  uint64_t address, bytes, queue;
  int64_t time_us;
  Stack stack;
};

struct Recorder {
  std::mutex mutex;
  std::map<c10::DeviceIndex, std::deque<Entry>> entries;
  std::map<uint64_t, Stack> allocated_by;  // live blocks
  size_t most = 0;
};

Recorder& recorder() {
  static auto* r = new Recorder;  // leaked: frees come as late as the interpreter's end
  return *r;
}

std::atomic<bool> with_stacks{false};
thread_local Stack next_stack;

int64_t now_us() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::microseconds>(now).count();
}

void observe(c10::DeviceIndex device, MemoryAction action, uint64_t address, uint64_t bytes, uint64_t queue) {
  Recorder& r = recorder();
  Entry entry{action, address, bytes, queue, now_us(), next_stack};
  std::lock_guard lock(r.mutex);
  if (action == MemoryAction::kAllocate) r.allocated_by[address] = entry.stack;
  if (action == MemoryAction::kFreeCompleted) r.allocated_by.erase(address);
  auto& entries = r.entries[device];
  entries.push_back(std::move(entry));
  if (entries.size() > r.most) entries.pop_front();
}

// Replaces stacks by lists of frames, each converted once.
struct Frames {
  std::vector<torch::CapturedTraceback*> stacks;
  std::vector<Stack> keep;
  std::vector<py::dict> wanted;

  void attach(py::dict to, const Stack& stack) {
    to["frames"] = py::list();
    if (!stack) return;
    stacks.push_back(stack.get());
    keep.push_back(stack);
    wanted.push_back(std::move(to));
  }
  void resolve() {
    const auto frames = torch::py_symbolize(stacks);
    for (size_t i = 0; i < frames.size(); ++i) wanted[i]["frames"] = frames[i];
  }
};

py::dict segment_dict(c10::DeviceIndex device, const SegmentView& segment, const std::map<uint64_t, Stack>& stacks,
                      Frames& frames) {
  static const char* const kStates[] = {"active_allocated", "active_awaiting_free", "inactive"};
  py::list blocks;
  uint64_t allocated = 0, active = 0, requested = 0;
  for (const BlockView& block : segment.blocks) {
    if (block.state == BlockView::kLive) allocated += block.bytes;
    if (block.state != BlockView::kFree) active += block.bytes;
    requested += block.asked;
    py::dict one;
    one["address"] = block.address;
    one["size"] = block.bytes;
    one["requested_size"] = block.asked;
    one["state"] = kStates[block.state];
    const auto stack = stacks.find(block.address);
    frames.attach(one, stack != stacks.end() && block.state != BlockView::kFree ? stack->second : nullptr);
    blocks.append(one);
  }
  py::dict out;
  out["device"] = static_cast<int>(device);
  out["address"] = segment.address;
  out["total_size"] = segment.bytes;
  out["allocated_size"] = allocated;
  out["active_size"] = active;
  out["requested_size"] = requested;
  out["stream"] = segment.queue;
  out["segment_type"] = segment.small ? "small" : "large";
  out["segment_pool_id"] = py::make_tuple(0, 0);
  out["is_expandable"] = false;
  out["frames"] = py::list();
  out["blocks"] = blocks;
  return out;
}

py::dict entry_dict(const Entry& entry, Frames& frames) {
  static const char* const kActions[] = {"alloc", "free_requested", "free_completed", "segment_alloc", "segment_free", "oom"};
  py::dict out;
  out["action"] = kActions[static_cast<int>(entry.action)];
  out[entry.action == MemoryAction::kOutOfMemory ? "device_free" : "addr"] = entry.address;
  out["size"] = entry.bytes;
  out["stream"] = entry.queue;
  out["time_us"] = entry.time_us;
  out["pool_id"] = py::make_tuple(0, 0);
  frames.attach(out, entry.stack);
  return out;
}

}  // namespace

void note_stack() {
  if (!with_stacks.load(std::memory_order_relaxed)) [[likely]]
    return;
  next_stack = torch::CapturedTraceback::gather(true, false, false);
}

void record_memory_history(size_t entries, bool stacks) {
  for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
    MemoryObserver observer;
    if (entries > 0)
      observer = [i](MemoryAction action, uint64_t address, uint64_t bytes, uint64_t queue) {
        observe(i, action, address, bytes, queue);
      };
    if (entries > 0 || is_open(i)) device(i).allocator().observe(std::move(observer));
  }
  Recorder& r = recorder();
  std::map<c10::DeviceIndex, std::deque<Entry>> old;
  std::map<uint64_t, Stack> old_blocks;  // freed after the lock: a stack's end takes the interpreter's
  with_stacks = entries > 0 && stacks;
  std::lock_guard lock(r.mutex);
  r.most = entries;
  if (entries == 0) return;
  old.swap(r.entries);
  old_blocks.swap(r.allocated_by);
}

py::dict memory_snapshot() {
  Recorder& r = recorder();
  std::map<c10::DeviceIndex, std::deque<Entry>> entries;
  std::map<uint64_t, Stack> stacks;
  std::map<c10::DeviceIndex, std::vector<SegmentView>> segments;
  {
    py::gil_scoped_release released;  // an allocation of another thread may hold the lock and wait for this one's
    for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
      if (is_open(i)) segments[i] = device(i).allocator().snapshot();
    }
    std::lock_guard lock(r.mutex);
    entries = r.entries;
    stacks = r.allocated_by;
  }
  Frames frames;
  py::list all, traces;
  for (c10::DeviceIndex i = 0; i < device_count(); ++i) {
    for (const SegmentView& segment : segments[i]) all.append(segment_dict(i, segment, stacks, frames));
    py::list trace;
    for (const Entry& entry : entries[i]) trace.append(entry_dict(entry, frames));
    traces.append(trace);
  }
  frames.resolve();
  py::dict out;
  out["segments"] = all;
  out["device_traces"] = traces;
  out["allocator_settings"] = py::dict();
  out["external_annotations"] = py::list();
  return out;
}

}  // namespace oncilla::adapter
