// The Python binding: what torch.ocl (oncilla/_device.py) is made of.
#include <c10/core/CachingDeviceAllocator.h>
#include <torch/csrc/utils/device_lazy_init.h>
#include <torch/csrc/utils/pybind.h>
#include <torch/version.h>

#include "core/allocator.hpp"
#include "core/forced.hpp"
#include "core/plan_cache.hpp"
#include "core/trace.hpp"
#include "torch/device.hpp"
#include "torch/fallback.hpp"
#include "torch/fuse.hpp"
#include "torch/generator.hpp"
#include "torch/memory_history.hpp"
#include "torch/out_variants.hpp"

namespace py = pybind11;
namespace adapter = oncilla::adapter;

namespace {

py::dict properties(int index) {
  const onc_device_info& info = adapter::device(static_cast<c10::DeviceIndex>(index)).info();
  static const char* const kClasses[] = {"other", "cpu", "integrated", "discrete"};
  py::dict out;
  out["name"] = info.name;
  out["vendor"] = info.vendor;
  out["platform"] = info.platform;
  out["driver"] = info.driver;
  out["api"] = info.api;
  out["features"] = py::str(info.features).attr("split")();
  out["device_class"] = kClasses[info.device_class <= ONC_CLASS_DISCRETE ? info.device_class : 0];
  out["multi_processor_count"] = info.compute_units;
  out["total_memory"] = info.memory_bytes;
  out["max_allocation"] = info.max_alloc_bytes;
  out["local_memory"] = info.local_bytes;
  out["max_work_group"] = info.max_work_group;
  return out;
}

py::dict plan_stats(int index) {
  const auto s = adapter::device(static_cast<c10::DeviceIndex>(index)).plans().stats();
  py::dict out;
  out["hits"] = s.hits;
  out["misses"] = s.misses;
  out["evictions"] = s.evictions;
  out["size"] = s.size;
  return out;
}

// Arguments as the schema has them; a number may stand for a tensor.
void fused_step(adapter::Fused& fused, const std::string& op, at::ScalarType common, const py::list& args,
                const std::vector<int64_t>& refs) {
  std::vector<c10::IValue> values;
  for (size_t i = 0; i < args.size(); ++i) {
    const py::object value = args[i];
    if (value.is_none() || (i < refs.size() && refs[i] >= 0)) {
      values.emplace_back();
    } else if (py::isinstance<py::bool_>(value)) {
      values.emplace_back(value.cast<bool>());
    } else if (py::isinstance<py::int_>(value)) {
      values.emplace_back(value.cast<int64_t>());
    } else if (py::isinstance<py::float_>(value)) {
      values.emplace_back(value.cast<double>());
    } else if (py::isinstance<py::str>(value)) {
      values.emplace_back(value.cast<std::string>());
    } else {
      TORCH_CHECK_TYPE(false, "[fuse] ", op, ": argument ", i, " is ", std::string(py::str(py::type::of(value))));
    }
  }
  fused.step(op, common, std::move(values), refs);
}

}  // namespace

PYBIND11_MODULE(_C, m) {
  m.attr("torch_version") = TORCH_VERSION;
  torch::utils::register_fork_handler_for_device_init(adapter::kOcl);
  adapter::register_out_variants();
  m.def("device_count", [] { return static_cast<int>(adapter::device_count()); });
  m.def("current_device", [] { return static_cast<int>(adapter::current_device()); });
  m.def("set_device", [](int index) { adapter::set_device(static_cast<c10::DeviceIndex>(index)); });
  m.def("is_open", [](int index) { return adapter::is_open(static_cast<c10::DeviceIndex>(index)); });
  m.def("in_bad_fork", &adapter::in_bad_fork);
  m.def(
      "synchronize", [](int index) { adapter::synchronize(static_cast<c10::DeviceIndex>(index)); },
      py::call_guard<py::gil_scoped_release>());
  m.def("properties", &properties);
  m.def("problems", [] { return oncilla::Registry::get().problems(); });
  m.def("plan_stats", &plan_stats);
  m.def("set_memory_cap",
        [](int index, uint64_t bytes) { adapter::device(static_cast<c10::DeviceIndex>(index)).allocator().set_cap(bytes); });
  m.def("record_memory_history", &adapter::record_memory_history, py::call_guard<py::gil_scoped_release>());
  m.def("memory_snapshot", &adapter::memory_snapshot);
  m.def("set_poison", [](int index, bool on) { adapter::device(static_cast<c10::DeviceIndex>(index)).allocator().set_poison(on); });
  m.def("default_generator", [](int index) { return adapter::default_generator(static_cast<c10::DeviceIndex>(index)); });
  m.def("fallbacks", &adapter::fallback_counts);
  m.def("reset_fallbacks", &adapter::reset_fallback_counts);
  m.def("fallback_mode", [] {
    static const char* const kNames[] = {"warn", "error", "silent"};
    return kNames[static_cast<int>(adapter::fallback_mode())];
  });
  m.def("set_fallback_mode", [](const std::string& mode) {
    TORCH_CHECK_VALUE(mode == "warn" || mode == "error" || mode == "silent",
                      "the fallback mode is 'warn', 'error' or 'silent', not '", mode, "'");
    adapter::set_fallback_mode(mode == "warn"    ? adapter::FallbackMode::kWarn
                               : mode == "error" ? adapter::FallbackMode::kError
                                                 : adapter::FallbackMode::kSilent);
  });
  py::class_<adapter::Fused>(m, "Fused")
      .def(py::init<size_t>())
      .def("step", &fused_step)
      .def("cast", &adapter::Fused::cast)
      .def("output", &adapter::Fused::output)
      .def("run", &adapter::Fused::run, py::call_guard<py::gil_scoped_release>())
      .def_static("has", &adapter::Fused::has);
  m.def("force_variant", &oncilla::forced::set);
  m.def("forced_plans", &oncilla::forced::uses);
  m.def("trace_start", [] { oncilla::Trace::get().start(); });
  m.def("trace_stop", [] { oncilla::Trace::get().stop(); });
  m.def("trace_write", [](const std::string& path) { oncilla::Trace::get().write(path); });
}
