// Arguments and launches.
#include <algorithm>
#include <array>
#include <cstring>
#include <limits>

#include "runtime/launches.hpp"
#include "runtime/process.hpp"

namespace oncilla::ocl {

namespace {

constexpr uint32_t kLocal = std::numeric_limits<uint32_t>::max();

}  // namespace

struct Kernel::State {
  Device& device;
  cl::Kernel kernel;
  std::string name;
  std::mutex mutex;
  // The arguments as the last launch left them: an argument that is the same again is not set again.
  struct Argument {
    uint32_t bytes, at;  // at: in values, or kLocal
  };
  std::vector<Argument> arguments;
  std::vector<unsigned char> values;
  uint64_t handles_forgotten = 0;

  ~State() {
    if (forked()) kernel() = nullptr;
  }

  void set_bytes(cl_uint index, size_t bytes, const void* value) {
    check(clSetKernelArg(kernel(), index, bytes, value), "[", name, "] argument ", index);
  }

  bool same(cl_uint index, const ArgumentHeader& header, const unsigned char* value) const {
    if (index >= arguments.size()) return false;
    const Argument& last = arguments[index];
    if (last.bytes != header.bytes || (last.at == kLocal) != (header.local != 0)) return false;
    return header.local != 0 || std::memcmp(values.data() + last.at, value, header.bytes) == 0;
  }

  // Arguments come in the same order and sizes at every launch of most kernels; where a size differs, all are learned anew.
  void remember(cl_uint index, const ArgumentHeader& header, const unsigned char* value) {
    const bool local = header.local != 0;
    if (index < arguments.size() && arguments[index].bytes == header.bytes && (arguments[index].at == kLocal) == local) {
      if (!local) std::memcpy(values.data() + arguments[index].at, value, header.bytes);
      return;
    }
    if (index < arguments.size()) {
      values.resize(index == 0 ? 0 : end_of(index));
      arguments.resize(index);
    }
    if (index > arguments.size()) return;
    arguments.push_back({header.bytes, local ? kLocal : static_cast<uint32_t>(values.size())});
    if (!local) values.insert(values.end(), value, value + header.bytes);
  }

  // Where the values of the arguments before this one end.
  size_t end_of(cl_uint index) const {
    for (cl_uint i = index; i-- > 0;) {
      if (arguments[i].at != kLocal) return arguments[i].at + size_t{arguments[i].bytes};
    }
    return 0;
  }

  void forget() {
    arguments.clear();
    values.clear();
  }

  void set_all(const Launch& launch, const unsigned char* from) {
    // A new buffer may have the handle of one that is gone, and a driver may have kept more of that one than its handle.
    if (const uint64_t now = device.handles_forgotten(); now != handles_forgotten) {
      forget();
      handles_forgotten = now;
    }
    cl_uint index = 0;
    for (const unsigned char* end = from + (launch.end - launch.begin); from < end; ++index) {
      ArgumentHeader header;
      std::memcpy(&header, from, sizeof header);
      from += sizeof header;
      const unsigned char* value = from;
      if (header.local == 0) from += header.bytes;
      if (same(index, header, value)) continue;
      try {
        set_bytes(index, header.bytes, header.local != 0 ? nullptr : value);
      } catch (...) {
        forget();
        throw;
      }
      remember(index, header, value);
    }
  }
};

Kernel::Kernel(Device& device, cl::Kernel kernel, std::string name)
    : state_(new State{device, std::move(kernel), std::move(name), {}, {}, {}, 0}) {}

const std::string& Kernel::name() const { return state_->name; }

void Kernel::set_shared(cl_uint index, size_t bytes, const void* value) {
  const std::lock_guard guard(state_->mutex);
  state_->set_bytes(index, bytes, value);
}

Kernel::Arguments::Arguments(const Kernel& kernel, onc_queue& queue)
    : kernel_(kernel),
      queue_(static_cast<Queue&>(queue)),
      guard_(queue_.launches().lock()),
      begin_(queue_.launches().bytes().size()) {}

Kernel::Arguments::~Arguments() {
  if (!enqueued_) queue_.launches().bytes().resize(begin_);
}

Kernel::Arguments& Kernel::Arguments::bytes(size_t size, const void* value) {
  const ArgumentHeader header = {static_cast<uint32_t>(size), value == nullptr ? 1u : 0u};
  std::vector<unsigned char>& list = queue_.launches().bytes();
  const auto* head = reinterpret_cast<const unsigned char*>(&header);
  list.insert(list.end(), head, head + sizeof header);
  if (value != nullptr)
    list.insert(list.end(), static_cast<const unsigned char*>(value), static_cast<const unsigned char*>(value) + size);
  return *this;
}

Kernel::Arguments& Kernel::Arguments::add(const Mem& mem) {
  const cl_mem handle = mem.at.buffer != nullptr ? static_cast<const Buffer*>(mem.at.buffer)->mem()() : nullptr;
  kit::require(mem.at.offset % mem.item_bytes == 0, "[", kernel_.name(), "] offset ", mem.at.offset,
               " is no multiple of the element's ", mem.item_bytes, " bytes");
  const cl_ulong offset = mem.at.offset / mem.item_bytes;
  return bytes(sizeof handle, &handle).bytes(sizeof offset, &offset);
}

Kernel::Arguments& Kernel::Arguments::add(const Segment& segment) {
  const cl_mem handle = segment.buffer != nullptr ? static_cast<const Buffer*>(segment.buffer)->mem()() : nullptr;
  return bytes(sizeof handle, &handle);
}

Kernel::Arguments& Kernel::Arguments::add(const Local& local) { return bytes(local.bytes, nullptr); }

Kernel::Arguments& Kernel::Arguments::add(const Index& count) {
  const auto narrow = static_cast<cl_int>(count.value);
  const cl_long wide = count.value;
  return count.wide ? bytes(sizeof wide, &wide) : bytes(sizeof narrow, &narrow);
}

void Kernel::Arguments::enqueue(Range global, Range local) {
  require_same_process("plan_run");
  if (global.x == 0 || global.y == 0 || global.z == 0) return;
  const auto up = [](size_t n, size_t to) { return to == 0 ? n : (n + to - 1) / to * to; };
  Launch launch;
  launch.kernel = kernel_;
  launch.grouped = local.x != 0;
  launch.group = {local.x, local.y, local.z};
  launch.sizes = {global.x, global.y, global.z};
  if (launch.grouped) {
    for (size_t i = 0; i < 3; ++i) launch.sizes[i] = up(launch.sizes[i], launch.group[i]);
  }
  const auto beyond = [&](size_t i) { return launch.sizes[i] > 1 || (launch.grouped && launch.group[i] > 1); };
  launch.dims = beyond(2) ? 3 : beyond(1) ? 2 : 1;
  launch.begin = begin_;
  launch.end = queue_.launches().bytes().size();
  enqueued_ = true;
  queue_.launches().add(std::move(launch));
  queue_.device().launches.fetch_add(1, std::memory_order_relaxed);
}

void Kernel::enqueue(cl_command_queue queue, const Launch& launch, const unsigned char* arguments, cl_event* event) const {
  const std::lock_guard guard(state_->mutex);
  state_->set_all(launch, arguments);
  const cl_int status = clEnqueueNDRangeKernel(queue, state_->kernel(), launch.dims, nullptr, launch.sizes.data(),
                                               launch.grouped ? launch.group.data() : nullptr, 0, nullptr, event);
  check(status, "[", state_->name, "] launch of ", launch.sizes[0], "x", launch.sizes[1], "x", launch.sizes[2],
        " work-items in groups of ", launch.group[0], "x", launch.group[1], "x", launch.group[2]);
}

}  // namespace oncilla::ocl
