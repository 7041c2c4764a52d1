#include "runtime/probe.hpp"

#include <array>
#include <sstream>
#include <utility>

#include "runtime/shared_memory.hpp"

namespace oncilla::ocl {

namespace {

// A kernel `probe` writes four ints; the feature is there if they are 1 2 3 4. `hint` is an extension without which the driver is
// not asked: some crash on source that they never claimed to know.
struct Probe {
  const char* name;
  bool Features::*feature;
  const char* hint;
  const char* options;
  const char* source;
};

const std::array<Probe, 5> kProbes = {{
    {"fp64", &Features::fp64, "cl_khr_fp64", "-cl-std=CL1.2", R"cl(
#pragma OPENCL EXTENSION cl_khr_fp64 : enable
kernel void probe(global int *out, int one) {
  const int i = (int)get_global_id(0);
  // 2^-40 is lost in float
  const double x = (double)one + 9.094947017729282e-13;
  out[i] = x - 1.0 == 9.094947017729282e-13 ? i + 1 : 0;
})cl"},
    {"fp16", &Features::fp16, "cl_khr_fp16", "-cl-std=CL1.2", R"cl(
#pragma OPENCL EXTENSION cl_khr_fp16 : enable
kernel void probe(global int *out, int one) {
  const int i = (int)get_global_id(0);
  const half x = (half)one + (half)i;
  out[i] = (int)(x * (half)2.0f) / 2;
})cl"},
    {"int64_atomics", &Features::int64_atomics, "cl_khr_int64_base_atomics", "-cl-std=CL1.2", R"cl(
#pragma OPENCL EXTENSION cl_khr_int64_base_atomics : enable
kernel void probe(global int *out, int one) {
  local long sum;
  const int i = (int)get_local_id(0);
  if (i == 0) sum = 0x100000000L;
  barrier(CLK_LOCAL_MEM_FENCE);
  atom_add(&sum, (long)one);
  barrier(CLK_LOCAL_MEM_FENCE);
  out[i] = sum == 0x100000004L ? i + 1 : 0;
})cl"},
    {"subgroups", &Features::subgroups, "cl_khr_subgroups", "-cl-std=CL2.0", R"cl(
#pragma OPENCL EXTENSION cl_khr_subgroups : enable
kernel void probe(global int *out, int one) {
  const int i = (int)get_local_id(0);
  const int n = (int)get_sub_group_size();
  const int total = sub_group_reduce_add(one);
  out[i] = total == n ? i + 1 : 0;
})cl"},
    {"work_group_collectives", &Features::work_group_collectives, "", "-cl-std=CL2.0", R"cl(
kernel void probe(global int *out, int one) {
  const int i = (int)get_local_id(0);
  out[i] = work_group_reduce_add(one) == 4 ? work_group_scan_inclusive_add(one) : 0;
})cl"},
}};

bool claims(const cl::Device& id, const char* extension) {
  const std::string extensions = " " + std::string(id.getInfo<CL_DEVICE_EXTENSIONS>().c_str()) + " ";
  return extensions.find(kit::cat(" ", extension, " ")) != std::string::npos;
}

bool run(const Probe& probe, const cl::Context& context, const cl::Device& id, const ProgramCache& programs) {
  if (*probe.hint != 0 && !claims(id, probe.hint)) return false;
  try {
    const cl::Program program = programs.compile(kit::cat("probe of ", probe.name), probe.source, probe.options);
    std::array<cl_int, 4> out{};
    cl_int status = CL_SUCCESS;
    const cl::Buffer buffer(context, CL_MEM_READ_WRITE | CL_MEM_COPY_HOST_PTR, sizeof out, out.data(), &status);
    check(status, "[probe] buffer");
    cl::Kernel kernel(program, "probe", &status);
    check(status, "[probe] kernel");
    const cl::CommandQueue queue(context, id, 0, &status);
    check(status, "[probe] queue");
    check(kernel.setArg(0, buffer), "[probe] argument");
    check(kernel.setArg(1, cl_int{1}), "[probe] argument");
    check(queue.enqueueNDRangeKernel(kernel, cl::NullRange, cl::NDRange(4), cl::NDRange(4)), "[probe] launch");
    check(queue.enqueueReadBuffer(buffer, CL_TRUE, 0, sizeof out, out.data()), "[probe] read");
    return out == std::array<cl_int, 4>{1, 2, 3, 4};
  } catch (const kit::Error&) {
    return false;  // it does not compile or run here, which is the answer
  }
}

}  // namespace

bool* Features::find(std::string_view name) {
  const std::pair<const char*, bool*> all[] = {{"fp64", &fp64},
                                               {"fp16", &fp16},
                                               {"int64_atomics", &int64_atomics},
                                               {"subgroups", &subgroups},
                                               {"work_group_collectives", &work_group_collectives},
                                               {"svm", &svm},
                                               {"unified_memory", &unified_memory}};
  for (const auto& [known, member] : all) {
    if (name == known) return member;
  }
  return nullptr;
}

std::string Features::str() const {
  std::string text;
  Features copy = *this;
  for (const char* name : kFeatureNames) {
    if (!*copy.find(name)) continue;
    if (!text.empty()) text += ' ';
    text += name;
  }
  return text;
}

Features probe_features(const cl::Context& context, const cl::Device& id, ProgramCache& programs) {
  // The name changes with the probes' text, so that a new version of them asks again.
  std::string asked = "features of version 2";
  for (const Probe& probe : kProbes) asked += kit::cat("\n", probe.name, probe.hint, probe.options, probe.source);
  Features features;
  if (const auto known = programs.recall(asked)) {
    std::istringstream names(*known);
    for (std::string name; names >> name;) {
      if (bool* feature = features.find(name)) *feature = true;
    }
    return features;
  }
  std::vector<std::string> ignored;
  features = probe_anew(context, id, programs, ignored);
  programs.remember(asked, features.str());
  return features;
}

Features probe_anew(const cl::Context& context, const cl::Device& id, const ProgramCache& programs,
                    std::vector<std::string>& false_claims) {
  Features features;
  for (const Probe& probe : kProbes) {
    features.*probe.feature = run(probe, context, id, programs);
    if (!(features.*probe.feature) && *probe.hint != 0 && claims(id, probe.hint)) false_claims.emplace_back(probe.hint);
  }
  features.svm = probe_svm(context(), id());
  features.unified_memory = features.svm && probe_unified_memory(context(), id());
  return features;
}

}  // namespace oncilla::ocl
