// What a device says about itself when it is asked to (device_examine): features and quirks, whether what the driver claims is
// true, and how the folder of programs is. Everything is tried anew; nothing that is kept counts.
#include <algorithm>
#include <array>
#include <cstring>
#include <sstream>
#include <utility>

#include "runtime/device.hpp"
#include "runtime/probe.hpp"
#include "runtime/programs.hpp"
#include "runtime/quirks.hpp"

namespace oncilla::ocl {
namespace {

// Each work-item adds what the others of its group stored; `a` fills the local memory that is asked about.
const char* const kSum = R"cl(
kernel void sum(global ulong *out, local uint *a, uint words) {
  const uint l = (uint)get_local_id(0), n = (uint)get_local_size(0);
  for (uint i = l; i < words; i += n) a[i] = i + 1;
  barrier(CLK_LOCAL_MEM_FENCE);
  ulong s = 0;
  for (uint i = n - 1 - l; i < words; i += n) s += a[i];
  barrier(CLK_LOCAL_MEM_FENCE);
  a[l] = (uint)(s & 0xffff);
  a[n + l] = (uint)(s >> 16);
  barrier(CLK_LOCAL_MEM_FENCE);
  if (l == 0) {
    ulong t = 0;
    for (uint i = 0; i < n; ++i) t += a[i] + ((ulong)a[n + i] << 16);
    out[0] = t;
  }
})cl";

const char* const kAdd = "kernel void add(global int *out, int by) { out[get_global_id(0)] = (int)get_global_id(0) + by; }";

class Examination {
 public:
  Examination(Device& device, const ProgramCache& programs, const kit::Findings& found)
      : device_(device), programs_(programs), found_(found) {}

  // Runs one part; an OpenCL call that fails in it is a problem of the driver's.
  template <class Part>
  void part(const char* topic, Part&& part) const {
    try {
      part();
    } catch (const kit::Error& error) {
      found_(ONC_FINDING_PROBLEM, topic, error.what(), "update the driver, or report it to its makers with this line");
    }
  }

  void features(const Features& probed) const {
    std::vector<std::string> false_claims;
    const Features now = probe_anew(device_.context(), device_.id(), programs_, false_claims);
    const std::string names = now.str();
    found_(ONC_FINDING_OK, "features", kit::cat("probes found ", names.empty() ? "none" : names), "");
    for (const std::string& extension : false_claims) {
      found_(ONC_FINDING_WARNING, "features",
             kit::cat("the driver names ", extension, ", but a kernel that uses it does not compile or gives wrong results"),
             "nothing uses it here; report it to the driver's makers");
    }
    if (now.str() != probed.str()) {
      found_(
          ONC_FINDING_PROBLEM, "features",
          kit::cat("an earlier probe, kept on disk, found \"", probed.str(), "\", and now there is \"", names, "\""),
          kit::cat("delete the folder ", programs_.disk().dir(), ": the driver was changed, or it does not always give the same"));
    }
  }

  void quirks(const Features& probed, const cl::Platform& platform) const {
    Features had = probed;
    for (const Quirk* quirk : quirks_of(platform, device_.id())) {
      const bool* feature = had.find(quirk->feature);
      const std::string effect = feature == nullptr
                                     ? "; the kernels work around it"
                                     : kit::cat("; ", quirk->feature, *feature ? " is turned off" : " is not there anyway");
      found_(ONC_FINDING_NOTE, "quirks", kit::cat(quirk->what, effect, " (", quirk->link, ")"), "");
    }
    for (const std::string& name : features_off()) {
      found_(ONC_FINDING_NOTE, "quirks", kit::cat(name, " is turned off by ONCILLA_FEATURES_OFF"), "");
    }
  }

  // A right program, a wrong one, and one from its own binary.
  void compiler() const {
    const cl::Program right = programs_.compile("the examination", kAdd, "-cl-std=CL1.2");
    require_add(right, "a compiled program");
    cl_int status = CL_SUCCESS;
    cl::Program wrong(device_.context(), std::string("kernel void add(global int *out) { out[0] = undeclared_name; }"), false,
                      &status);
    check(status, "[program]");
    status = wrong.build(device_.id(), "-cl-std=CL1.2");
    std::string log;
    wrong.getBuildInfo(device_.id(), CL_PROGRAM_BUILD_LOG, &log);
    if (status == CL_SUCCESS) {
      found_(ONC_FINDING_PROBLEM, "compiler", "clBuildProgram accepts a program with an error in it", "update the driver");
    } else if (log.find("undeclared_name") == std::string::npos) {
      found_(ONC_FINDING_WARNING, "compiler", "clGetProgramBuildInfo gives no log that names the error of a wrong program",
             "errors of the compiler cannot be read with this driver; a report needs another one's words");
    } else {
      found_(ONC_FINDING_OK, "compiler", "compiles what is right, and says what is wrong", "");
    }
    binary(right);
  }

  void binary(const cl::Program& program) const {
    const char* const advice = "ONCILLA_CACHE_DIR= (empty) keeps programs from disk; report it to the driver's makers";
    size_t bytes = 0;
    if (clGetProgramInfo(program(), CL_PROGRAM_BINARY_SIZES, sizeof bytes, &bytes, nullptr) != CL_SUCCESS || bytes == 0) {
      found_(ONC_FINDING_WARNING, "compiler", "clGetProgramInfo hands out no binaries: every process compiles anew", advice);
      return;
    }
    std::string text(bytes, '\0');
    char* at = text.data();
    check(clGetProgramInfo(program(), CL_PROGRAM_BINARIES, sizeof at, &at, nullptr), "[program] clGetProgramInfo of a binary");
    cl_int status = CL_SUCCESS, loaded = CL_SUCCESS;
    const auto* data = reinterpret_cast<const unsigned char*>(text.data());
    const cl_device_id id = device_.id()();
    const cl::Program again(clCreateProgramWithBinary(device_.context()(), 1, &id, &bytes, &data, &loaded, &status), false);
    if (status == CL_SUCCESS) status = loaded;
    if (status == CL_SUCCESS) status = again.build(device_.id(), "-cl-std=CL1.2");
    if (status != CL_SUCCESS) {
      found_(ONC_FINDING_PROBLEM, "compiler",
             kit::cat("clCreateProgramWithBinary refuses the binary that the driver itself gave: ", status_name(status)), advice);
      return;
    }
    require_add(again, "a program from its own binary");
    found_(ONC_FINDING_OK, "compiler", kit::cat("a program from its own binary (", bytes, " bytes) gives the same"), "");
  }

  // A work-group as large as the device claims, and as much local memory.
  void limits() const {
    const cl::Program program = programs_.compile("the examination", kSum, "-cl-std=CL1.2");
    cl_int status = CL_SUCCESS;
    const cl::Kernel kernel(program, "sum", &status);
    check(status, "[program] kernel sum");
    size_t most = 1;
    clGetKernelWorkGroupInfo(kernel(), device_.id()(), CL_KERNEL_WORK_GROUP_SIZE, sizeof most, &most, nullptr);
    const auto ids = device_.id().getInfo<CL_DEVICE_MAX_WORK_ITEM_SIZES>();
    if (!ids.empty()) most = std::min<size_t>(most, ids[0]);
    const size_t held = device_.local_bytes() / (2 * sizeof(cl_uint));  // items that the sum has room for
    most = std::max<size_t>(1, std::min({most, device_.max_work_group(), held}));
    // Some drivers keep a little of the local memory for themselves.
    const uint64_t local = device_.local_bytes() - device_.local_bytes() / 16;
    const auto try_one = [&](size_t items, uint64_t bytes, const std::string& what, const char* advice) {
      const auto words = static_cast<cl_uint>(std::max<uint64_t>(bytes / sizeof(cl_uint), 2 * items));
      const uint64_t expected = uint64_t{words} * (words + 1) / 2;
      const std::string problem = run_sum(kernel, items, words, expected);
      if (problem.empty()) {
        found_(ONC_FINDING_OK, "limits", kit::cat(what, " works"), "");
      } else {
        found_(ONC_FINDING_PROBLEM, "limits", kit::cat(what, " does not work: ", problem), advice);
      }
      return problem.empty();
    };
    const bool sound = try_one(std::min<size_t>(most, 64), 1024, "a work-group with barriers",
                               "barriers or local memory are broken in this driver: use another version of it");
    if (!sound) return;  // the others would say the same
    try_one(most, 0, kit::cat("a work-group of ", most, " items, the most that the driver claims,"),
            "CL_DEVICE_MAX_WORK_GROUP_SIZE is wrong: report it to the driver's makers");
    try_one(std::min<size_t>(most, 64), local,
            kit::cat("a work-group with ", local, " bytes of the ", device_.local_bytes(),
                     " bytes of local memory that the driver claims"),
            "CL_DEVICE_LOCAL_MEM_SIZE is wrong: report it to the driver's makers");
  }

  void cache() const {
    const DiskCache& disk = programs_.disk();
    if (!disk.enabled() || !disk.writable()) {
      const std::string why = disk.warning();
      found_(ONC_FINDING_WARNING, "cache",
             why.empty() ? "programs are not kept on disk: ONCILLA_CACHE_DIR is empty, or there is no home folder" : why,
             "every process compiles its programs anew; name a folder of your own in ONCILLA_CACHE_DIR");
      if (!disk.enabled()) return;
    }
    const DiskCache::Health health = disk.health();
    found_(ONC_FINDING_OK, "cache",
           kit::cat(disk.dir(), ": ", health.entries, " entries, ", health.bytes / 1024, " KiB",
                    programs_.keeps_binaries() ? "" : "; of this platform only results of probes, as it keeps programs by itself"),
           "");
    if (health.damaged > 0)
      found_(ONC_FINDING_WARNING, "cache", kit::cat(health.damaged, " damaged entries in ", disk.dir()),
             "they are compiled anew when they are needed; delete the folder, and check the disk if they come back");
    if (health.abandoned > 0)
      found_(ONC_FINDING_NOTE, "cache",
             kit::cat(health.abandoned, " files of processes that ended while writing; they may be deleted"), "");
    if (health.foreign > 0) found_(ONC_FINDING_NOTE, "cache", kit::cat(health.foreign, " files that are not Oncilla's"), "");
  }

 private:
  void require_add(const cl::Program& program, const char* what) const {
    constexpr size_t kItems = 16;
    std::array<cl_int, kItems> out{};
    cl_int status = CL_SUCCESS;
    cl::Kernel kernel(program, "add", &status);
    check(status, "[program] clCreateKernel of ", what);
    const cl::Buffer buffer(device_.context(), CL_MEM_READ_WRITE, sizeof out, nullptr, &status);
    check(status, "[program] clCreateBuffer of ", sizeof out, " bytes");
    const cl::CommandQueue queue(device_.context(), device_.id(), 0, &status);
    check(status, "[program] clCreateCommandQueue");
    check(kernel.setArg(0, buffer), "[program] clSetKernelArg");
    check(kernel.setArg(1, cl_int{3}), "[program] clSetKernelArg");
    check(queue.enqueueNDRangeKernel(kernel, cl::NullRange, cl::NDRange(kItems), cl::NDRange(4)),
          "[program] clEnqueueNDRangeKernel of ", what);
    check(queue.enqueueReadBuffer(buffer, CL_TRUE, 0, sizeof out, out.data()), "[program] clEnqueueReadBuffer after ", what);
    for (size_t i = 0; i < kItems; ++i) {
      if (out[i] != static_cast<cl_int>(i) + 3)
        throw kit::Error(ONC_INTERNAL, kit::cat("[program] ", what, " gives ", out[i], " instead of ", i + 3, " at ", i));
    }
  }

  std::string run_sum(cl::Kernel kernel, size_t items, cl_uint words, uint64_t expected) const {
    cl_ulong out = 0;
    cl_int status = CL_SUCCESS;
    const cl::Buffer buffer(device_.context(), CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof out, &out, &status);
    check(status, "[limits] clCreateBuffer");
    const cl::CommandQueue queue(device_.context(), device_.id(), 0, &status);
    check(status, "[limits] clCreateCommandQueue");
    status = kernel.setArg(0, buffer);
    if (status == CL_SUCCESS) status = kernel.setArg(1, cl::Local(words * sizeof(cl_uint)));
    if (status == CL_SUCCESS) status = kernel.setArg(2, words);
    if (status == CL_SUCCESS) status = queue.enqueueNDRangeKernel(kernel, cl::NullRange, cl::NDRange(items), cl::NDRange(items));
    if (status == CL_SUCCESS) status = queue.enqueueReadBuffer(buffer, CL_TRUE, 0, sizeof out, &out);
    if (status != CL_SUCCESS) return status_name(status);
    return out == expected ? "" : kit::cat("it gives ", out, " instead of ", expected);
  }

  Device& device_;
  const ProgramCache& programs_;
  const kit::Findings& found_;
};

}  // namespace

void Device::examine(const kit::Findings& found) {
  const Examination examination(*this, *programs_, found);
  examination.part("features", [&] { examination.features(probed_); });
  examination.part("quirks", [&] { examination.quirks(probed_, platform_); });
  examination.part("compiler", [&] { examination.compiler(); });
  examination.part("limits", [&] { examination.limits(); });
  examination.part("cache", [&] { examination.cache(); });
}

}  // namespace oncilla::ocl
