// Arguments and launches.
#include <array>

#include "runtime/device.hpp"
#include "runtime/process.hpp"

namespace oncilla::ocl {

struct Kernel::State {
  Device& device;
  cl::Kernel kernel;
  std::string name;
  std::mutex mutex;
  ~State() {
    if (forked()) kernel() = nullptr;
  }
};

Kernel::Kernel(Device& device, cl::Kernel kernel, std::string name)
    : state_(new State{device, std::move(kernel), std::move(name), {}}) {}

const std::string& Kernel::name() const { return state_->name; }

std::unique_lock<std::mutex> Kernel::lock() { return std::unique_lock(state_->mutex); }

void Kernel::set_bytes(cl_uint index, size_t bytes, const void* value) {
  const cl_int status = clSetKernelArg(state_->kernel(), index, bytes, value);
  if (status != CL_SUCCESS) check(status, kit::cat("[", state_->name, "] argument ", index));
}

void Kernel::set_shared(cl_uint index, size_t bytes, const void* value) {
  const auto guard = lock();
  set_bytes(index, bytes, value);
}

void Kernel::set(cl_uint& index, const Mem& mem) {
  const cl_mem handle = mem.at.buffer != nullptr ? static_cast<const Buffer*>(mem.at.buffer)->mem()() : nullptr;
  if (mem.at.offset % mem.item_bytes != 0) {
    throw kit::Error(ONC_INVALID_ARGUMENT, kit::cat("[", state_->name, "] offset ", mem.at.offset,
                                                    " is no multiple of the element's ", mem.item_bytes, " bytes"));
  }
  const cl_ulong offset = mem.at.offset / mem.item_bytes;
  set_bytes(index++, sizeof handle, &handle);
  set_bytes(index++, sizeof offset, &offset);
}

void Kernel::set(cl_uint& index, const Segment& segment) {
  const cl_mem handle = segment.buffer != nullptr ? static_cast<const Buffer*>(segment.buffer)->mem()() : nullptr;
  set_bytes(index++, sizeof handle, &handle);
}

void Kernel::set(cl_uint& index, const Local& local) { set_bytes(index++, local.bytes, nullptr); }

void Kernel::set(cl_uint& index, const Index& count) {
  const auto narrow = static_cast<cl_int>(count.value);
  const cl_long wide = count.value;
  if (count.wide) {
    set_bytes(index++, sizeof wide, &wide);
  } else {
    set_bytes(index++, sizeof narrow, &narrow);
  }
}

void Kernel::enqueue(onc_queue& queue, Range global, Range local) {
  require_same_process("plan_run");
  if (global.x == 0 || global.y == 0 || global.z == 0) return;
  const auto up = [](size_t n, size_t to) { return to == 0 ? n : (n + to - 1) / to * to; };
  const bool chosen = local.x != 0;
  const std::array<size_t, 3> sizes =
      chosen ? std::array<size_t, 3>{up(global.x, local.x), up(global.y, local.y), up(global.z, local.z)}
             : std::array<size_t, 3>{global.x, global.y, global.z};
  const std::array<size_t, 3> group = {local.x, local.y, local.z};
  const cl_uint dims = sizes[2] > 1 || (chosen && group[2] > 1) ? 3 : sizes[1] > 1 || (chosen && group[1] > 1) ? 2 : 1;
  const cl_int status = clEnqueueNDRangeKernel(static_cast<Queue&>(queue).cl()(), state_->kernel(), dims, nullptr, sizes.data(),
                                               chosen ? group.data() : nullptr, 0, nullptr, nullptr);
  if (status != CL_SUCCESS) {
    check(status, kit::cat("[", state_->name, "] launch of ", sizes[0], "x", sizes[1], "x", sizes[2], " work-items in groups of ",
                           group[0], "x", group[1], "x", group[2]));
  }
  state_->device.launches.fetch_add(1, std::memory_order_relaxed);
}

}  // namespace oncilla::ocl
