// The opened device: context, probed features, programs, and how a plan launches a kernel. Plans hold Kernels; they never see
// cl_program.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "kit/backend.hpp"
#include "runtime/cl.hpp"

namespace oncilla::ocl {

class Device;
class Queue;
class LaunchList;
class ProgramCache;
class TuningRows;
struct Launch;
struct QueueError;

// What a probe kernel showed to compile and to run right, never what a version string promises.
inline constexpr const char* kFeatureNames[] = {"fp64", "fp16",          "int64_atomics", "subgroups", "work_group_collectives",
                                                "svm",  "unified_memory"};
struct Features {
  bool fp64 = false, fp16 = false, int64_atomics = false, subgroups = false, work_group_collectives = false, svm = false,
       unified_memory = false;
  std::string str() const;  // "fp64 int64_atomics"
  // The member of that name, or NULL.
  bool* find(std::string_view name);
};

class Buffer final : public onc_buffer {
 public:
  // host: where the host may read and write the memory itself while no command uses it (unified memory), or NULL.
  Buffer(cl::Buffer mem, uint64_t bytes, char* host, Device& device);
  ~Buffer() override;
  uint64_t bytes() const override { return bytes_; }
  const cl::Buffer& mem() const { return mem_; }
  char* host() const { return host_; }

 private:
  cl::Buffer mem_;
  uint64_t bytes_;
  char* host_;
  Device& device_;
};

// A tensor argument of a kernel: sets two kernel arguments, the cl_mem and a ulong offset in elements. In OpenCL C:
//   kernel void f(ARG(const float, x), ...) { BIND(const float, x); ... x[i] ... }     (kernels/lib/arg.h)
struct Mem {
  onc_arg at;
  uint32_t item_bytes;
};
// An absent optional tensor: a NULL cl_mem and offset 0.
inline Mem no_mem() { return {{nullptr, 0}, 1}; }

// A whole buffer: one kernel argument, the cl_mem.
struct Segment {
  onc_buffer* buffer;
};

// A count of elements: an int, or a long where the plan's index is wide (lib/index.h calls the type I).
struct Index {
  int64_t value;
  bool wide;
};

// Local memory of so many bytes.
struct Local {
  size_t bytes;
};

// The definitions of one compilation: {"T", "float"}, {"TILE_M", 8}. They become #define lines before the source rather than -D
// options, so that a value may hold blanks and parentheses.
class Defines {
 public:
  Defines& set(const std::string& name, const std::string& value) {
    values_[name] = value;
    return *this;
  }
  Defines& set(const std::string& name, int64_t value) { return set(name, std::to_string(value)); }
  std::string str() const;  // "#define T float\n#define TILE_M 8\n", sorted by name

 private:
  std::map<std::string, std::string> values_;
};

struct Range {
  size_t x = 1, y = 1, z = 1;
};

constexpr int64_t ceil_div(int64_t a, int64_t b) { return (a + b - 1) / b; }

// One kernel of a compiled program. A launch copies its arguments and range into the queue's list (launches.hpp), which enqueues it
// at once, or together with those that follow. Thread-safe: clSetKernelArg, the one OpenCL call that is not, happens under a lock.
class Kernel {
 public:
  Kernel() = default;
  Kernel(Device& device, cl::Kernel kernel, std::string name);
  explicit operator bool() const { return state_ != nullptr; }
  const std::string& name() const;

  // The arguments of one launch, in order.
  class Arguments {
   public:
    Arguments(const Kernel& kernel, onc_queue& queue);
    ~Arguments();  // a launch that was not enqueued leaves nothing behind
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;
    Arguments& add(const Mem& mem);
    Arguments& add(const Segment& segment);
    Arguments& add(const Local& local);
    Arguments& add(const Index& count);
    template <class S>
      requires std::is_trivially_copyable_v<S>
    Arguments& add(const S& value) {
      return bytes(sizeof(S), &value);
    }
    void enqueue(Range global, Range local);

   private:
    Arguments& bytes(size_t size, const void* value);  // NULL: so much local memory
    const Kernel& kernel_;
    Queue& queue_;
    std::unique_lock<std::mutex> guard_;
    size_t begin_;
    bool enqueued_ = false;
  };

  // global need not be a multiple of local: it is rounded up, so a kernel checks its bounds. local {0,..}: the driver chooses.
  template <class... Args>
  void launch(onc_queue& queue, Range global, Range local, const Args&... args) {
    launch_with(queue, global, local, [&](Arguments& arguments) { (arguments.add(args), ...); });
  }
  // As launch() for a number of arguments known only at run time.
  template <class Fill>
  void launch_with(onc_queue& queue, Range global, Range local, Fill&& fill) {
    Arguments arguments(*this, queue);
    fill(arguments);
    arguments.enqueue(global, local);
  }
  // An argument that every launch shares, set once before the first: launches then have only those in front of it.
  void set_shared(cl_uint index, size_t bytes, const void* value);
  // What the list does with a launch: sets the arguments that are not as the last launch left them, and enqueues.
  // event, if not NULL: where its event goes, which the caller releases.
  void enqueue(cl_command_queue queue, const Launch& launch, const unsigned char* arguments, cl_event* event) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

class Device final : public onc_device {
 public:
  Device(cl::Platform platform, cl::Device id, const onc_device_options& options);
  ~Device() override;

  void stats(onc_device_stats& stats) override;
  std::unique_ptr<onc_buffer> alloc(uint64_t bytes) override;
  std::unique_ptr<onc_queue> create_queue(uint32_t flags) override;
  std::unique_ptr<onc_plan> plan(kit::OpDesc desc) override;  // abi/plan.cpp: by ops.def
  void examine(const kit::Findings& found) override;          // examine.cpp

  // Kernel `entry` of kernels/<file>.cl compiled with these definitions. Compiled once per (file, defines) in the process; then
  // from disk. `prelude` is source text put before the file (generated tapes).
  Kernel kernel(const std::string& file, const std::string& entry, const Defines& defines, const std::string& prelude = "");

  const cl::Context& context() const { return context_; }
  const cl::Device& id() const { return id_; }
  const Features& features() const { return features_; }  // without those that a quirk or ONCILLA_FEATURES_OFF turns off
  uint32_t device_class() const { return class_; }
  uint32_t compute_units() const { return compute_units_; }
  const std::string& name() const { return name_; }
  size_t max_work_group() const { return max_work_group_; }
  uint64_t local_bytes() const { return local_bytes_; }
  const TuningRows& tuning_rows() const { return *tuning_; }
  bool cpu() const { return class_ == ONC_CLASS_CPU; }  // only for reports: choices are rows of the tuning database

  std::atomic<uint64_t> buffer_bytes{0}, buffers{0}, launches{0};

  // A buffer is about to go: launches that still wait are enqueued before, and no kernel takes its handle for a later buffer's.
  void forget_handles();
  uint64_t handles_forgotten() const { return handles_forgotten_; }
  void add(LaunchList& list);
  void remove(LaunchList& list);

 private:
  cl::Platform platform_;
  cl::Device id_;
  cl::Context context_;
  Features probed_, features_;
  uint32_t class_ = ONC_CLASS_OTHER, compute_units_ = 1;
  size_t max_work_group_ = 1;
  uint64_t local_bytes_ = 0, max_alloc_bytes_ = 0;
  std::string name_;
  std::unique_ptr<ProgramCache> programs_;
  std::unique_ptr<TuningRows> tuning_;
  std::mutex warnings_mutex_;
  std::deque<std::string> warnings_;
  std::atomic<uint64_t> handles_forgotten_{0};
  std::mutex lists_mutex_;
  std::vector<LaunchList*> lists_;
};

class Queue final : public onc_queue {
 public:
  Queue(Device& device, uint32_t flags);
  ~Queue() override;
  void about_to_run(const kit::PlanInfo& plan) override;
  void flush() override;
  void finish() override;
  std::unique_ptr<onc_event> record() override;
  void watch() override;
  void wait(onc_event& event) override;
  void* map(onc_arg at, uint64_t bytes, uint32_t flags) override;
  void unmap(onc_arg at, void* host) override;
  void copy_h2d(onc_arg dst, const void* src, uint64_t bytes, uint32_t flags) override;
  void copy_d2h(void* dst, onc_arg src, uint64_t bytes, uint32_t flags) override;
  void copy_d2d(onc_arg dst, onc_arg src, uint64_t bytes) override;
  void fill(onc_arg dst, uint64_t bytes, const void* pattern, uint32_t pattern_bytes) override;

  Device& device() const { return device_; }
  uint64_t id() const { return id_; }  // of no other queue, before or after
  // For commands that are no launches: what waits is enqueued first, so that the order holds.
  const cl::CommandQueue& cl();
  // The host's view of a place, if it has one and no command of this queue is under way; else NULL.
  char* idle_host(onc_arg at) const;
  LaunchList& launches() { return *launches_; }

 private:
  Device& device_;
  cl::CommandQueue queue_;
  std::unique_ptr<LaunchList> launches_;
  std::shared_ptr<QueueError> error_;
  bool profiling_;
  uint64_t id_;
};

}  // namespace oncilla::ocl
