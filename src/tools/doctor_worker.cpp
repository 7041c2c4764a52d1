// What a worker of `oncilla doctor` does: loads the loader, or a driver's library; or opens a device and tries on it what every op
// stands on. Each call of a driver may be its last, so every part is told of before it begins.
#include <dlfcn.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <random>

#include "core/allocator.hpp"
#include "core/op.hpp"
#include "tools/child.hpp"
#include "tools/doctor_parts.hpp"

namespace oncilla::tools {
namespace {

using Json = nlohmann::ordered_json;
using Bytes = std::vector<unsigned char>;

void print(const Json& json) {
  std::printf("%s\n", json.dump(-1, ' ', false, Json::error_handler_t::replace).c_str());
  std::fflush(stdout);
}

void begin(const std::string& what) { print({{"begin", what}}); }

void found(Level level, const std::string& topic, const std::string& text, const std::string& advice = "") {
  print({{"level", static_cast<int>(level)}, {"topic", topic}, {"text", text}, {"advice", advice}});
}

template <class... Parts>
std::string text_of(const char* format, Parts... parts) {
  char line[512];
  std::snprintf(line, sizeof line, format, parts...);
  return line;
}

// --- Libraries

std::string path_of(void* symbol) {
  Dl_info info{};
  return symbol != nullptr && dladdr(symbol, &info) != 0 && info.dli_fname != nullptr ? info.dli_fname : "";
}

// "libfoo.so.1: cannot open shared object file: ..." names what is missing.
std::string missing_library(const std::string& error) {
  const size_t colon = error.find(": cannot open shared object file");
  return colon == std::string::npos ? "" : error.substr(0, colon);
}

void loader(const DoctorOptions& options) {
  begin("loading libOpenCL.so.1");
  void* handle = dlopen("libOpenCL.so.1", RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    found(Level::problem, "loader", std::string("there is no OpenCL loader: ") + dlerror(), install_command("loader", options));
    return;
  }
  std::string name;
  using Info = int (*)(int, size_t, void*, size_t*);
  using Extension = void* (*)(const char*);
  const auto extension = reinterpret_cast<Extension>(dlsym(handle, "clGetExtensionFunctionAddress"));
  if (const auto ask = reinterpret_cast<Info>(extension != nullptr ? extension("clGetICDLoaderInfoOCLICD") : nullptr)) {
    char version[128] = "";
    if (ask(2, sizeof version, version, nullptr) == 0) name = std::string(", ocl-icd ") + version;  // CL_ICDL_VERSION
  }
  found(Level::ok, "loader", "the loader is " + path_of(dlsym(handle, "clGetPlatformIDs")) + name);
}

void icd(const DoctorOptions& options) {
  std::ifstream in(options.file);
  std::string library;
  std::getline(in, library);
  while (!library.empty() && std::isspace(static_cast<unsigned char>(library.back())) != 0) library.pop_back();
  if (library.empty())
    return found(Level::problem, "icd", options.file + " names no library",
                 "delete the file, or reinstall the driver that it is of");
  begin("loading " + library + ", which " + options.file + " names,");
  void* handle = dlopen(library.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (handle == nullptr) {
    const std::string error = dlerror(), missing = missing_library(error);
    const bool own = missing.empty() || missing == library;
    return found(Level::problem, "icd", options.file + " names " + library + ", which does not load: " + error,
                 own ? "reinstall the driver, or delete the file if the driver is gone"
                     : missing + " is missing: " + install_command("library", options, missing));
  }
  if (dlsym(handle, "clGetExtensionFunctionAddress") == nullptr && dlsym(handle, "clIcdGetPlatformIDsKHR") == nullptr)
    return found(Level::problem, "icd", options.file + " names " + library + ", which is no OpenCL driver", "reinstall the driver");
  found(Level::ok, "icd", options.file + " names " + library + ", which loads");
}

// --- A device

struct Buffer {
  Buffer(Device& device, uint64_t bytes) : api(device.api()), bytes(bytes) {
    api.check(api.buffer_alloc(device.handle(), bytes, &handle));
  }
  ~Buffer() { api.buffer_free(handle); }
  Buffer(const Buffer&) = delete;
  onc_arg at(uint64_t offset = 0) const { return {handle, offset}; }
  const Api& api;
  uint64_t bytes;
  onc_buffer* handle = nullptr;
};

double now() { return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count(); }

class Check {
 public:
  explicit Check(const std::shared_ptr<Device>& device)
      : device_(*device), queue_(device_.create_queue(true)), mapping_(device_.api().buffer_map != nullptr) {}

  // Runs a part; what it throws is a problem.
  template <class Part>
  void part(const std::string& what, Part&& part) {
    begin(what);
    try {
      part();
    } catch (const std::exception& error) {
      found(Level::problem, what, what + ": " + error.what(), "update the driver, or report it to its makers with this line");
    }
  }

  void examine() {
    const Api& api = device_.api();
    if (api.device_examine == nullptr) return found(Level::note, "plugin", "the plugin says nothing of itself");
    const auto add = [](void*, uint32_t level, const char* topic, const char* text, const char* advice) {
      found(static_cast<Level>(std::min<uint32_t>(level, ONC_FINDING_PROBLEM)), topic, text, advice);
    };
    api.check(api.device_examine(device_.handle(), add, nullptr));
  }

  // Every kind of copy, at odd places and of odd sizes.
  void copies() {
    bool right = true;
    for (const uint64_t bytes : {uint64_t{61}, uint64_t{4099}, uint64_t{1'000'003}}) {
      const Bytes sent = random(bytes);
      const Buffer a(device_, bytes + 64), b(device_, bytes + 64);
      Bytes back(bytes + 64);
      const auto expect = [&](const char* call, const Bytes& expected) {
        if (right) right = same(call, bytes, back, expected);
      };
      Bytes image(bytes + 64, 0x5A);
      queue_->fill(a.at(), bytes + 64, image.data(), 1);
      queue_->copy_d2h(back.data(), a.at(), bytes + 64);
      expect("fill (clEnqueueFillBuffer)", image);
      queue_->copy_h2d(a.at(3), sent.data(), bytes);
      queue_->copy_d2h(back.data(), a.at(), bytes + 64);
      std::copy(sent.begin(), sent.end(), image.begin() + 3);
      expect("copy_h2d (clEnqueueWriteBuffer)", image);
      queue_->fill(b.at(), bytes + 64, image.data(), 1);
      queue_->copy_d2d(b.at(7), a.at(3), bytes);
      queue_->copy_d2h(back.data(), b.at(), bytes + 64);
      image.assign(bytes + 64, 0x5A);
      std::copy(sent.begin(), sent.end(), image.begin() + 7);
      expect("copy_d2d (clEnqueueCopyBuffer)", image);
      if (mapping_) maps(b, image, back, expect);
    }
    if (right) found(Level::ok, "memory", "copies, fills and maps keep every byte");
  }

  // Work behind an event of another queue begins when that one's is done.
  void order() {
    constexpr uint64_t kBytes = uint64_t{32} << 20;
    constexpr int kTurns = 6;
    const auto other = device_.create_queue(true);
    const Buffer a(device_, kBytes), b(device_, 4096);
    for (uint32_t turn = 1; turn <= 3; ++turn) {
      for (uint32_t i = 1; i <= kTurns; ++i) {
        const uint32_t value = turn * 100 + i;
        queue_->fill(a.at(), kBytes, &value, sizeof value);
      }
      const Event done = queue_->record();
      queue_->flush();
      other->wait(done);
      other->copy_d2d(b.at(), a.at(kBytes - 4096), 4096);
      uint32_t got = 0;
      other->copy_d2h(&got, b.at(4092), sizeof got);
      queue_->finish();
      if (got == turn * 100 + kTurns) continue;
      return found(Level::problem, "order",
                   "a queue did not wait for the event of another (clEnqueueBarrierWithWaitList): it read what was there before",
                   "use one queue only, which is one stream in PyTorch, and report it to the driver's makers");
    }
    found(Level::ok, "order", "a queue waits for the events of another");
  }

  void times() {
    constexpr uint64_t kBytes = uint64_t{16} << 20;
    const Buffer a(device_, kBytes);
    const uint32_t value = 7;
    queue_->fill(a.at(), kBytes, &value, sizeof value);
    queue_->finish();
    const double start = now();
    const Event from = queue_->record();
    for (int i = 0; i < 4; ++i) queue_->fill(a.at(), kBytes, &value, sizeof value);
    const Event to = queue_->record();
    queue_->finish();
    const double wall = now() - start, device = to.elapsed_ns(from) * 1e-9;
    const std::string both = text_of("%.3g ms by the device's events, %.3g ms by the host's clock", device * 1e3, wall * 1e3);
    if (device > 0.01 * wall && device < 1.5 * wall) return found(Level::ok, "times", "four fills took " + both);
    found(Level::warning, "times", "event times are wrong (clGetEventProfilingInfo): four fills took " + both,
          "results are right; traces, torch.Event's times and tuning cannot be trusted with this driver");
  }

  void bandwidth() {
    const uint64_t bytes = std::min<uint64_t>(uint64_t{64} << 20, device_.info().max_alloc_bytes / 4);
    const Buffer a(device_, bytes), b(device_, bytes), c(device_, bytes);
    Bytes host(bytes, 1);
    const auto rate = [&](auto&& run) { return static_cast<double>(bytes) / fastest(run) * 1e-9; };
    const double up = rate([&] { queue_->copy_h2d(a.at(), host.data(), bytes); });
    const double down = rate([&] { queue_->copy_d2h(host.data(), a.at(), bytes); });
    const double inside = 2 * rate([&] { queue_->copy_d2d(b.at(), a.at(), bytes); });
    const int64_t n = static_cast<int64_t>(bytes / sizeof(float));
    const std::vector<int64_t> dims = {n}, strides = {1};
    Tape tape;
    const Value x = tape.input(ONC_F32);
    tape.output(x + tape.input(ONC_F32));
    const auto view = [&](const Buffer& buffer) { return TensorRef{buffer.at(), ONC_F32, dims, strides}; };
    const double add = 3 * rate([&] { Op(ONC_OP_EXPR).tape(tape, dims).in(view(a)).in(view(b)).out(view(c)).run(*queue_); });
    found(Level::ok, "speed",
          text_of("memory of %.1f GiB; to the device %.3g GB/s, back %.3g GB/s, within %.3g GB/s; adding float32 %.3g GB/s",
                  static_cast<double>(device_.info().memory_bytes) / (1 << 30), up, down, inside, add));
  }

  void products() {
    constexpr int64_t kSide = 256;
    const uint64_t bytes = kSide * kSide * sizeof(float);
    const Buffer a(device_, bytes), b(device_, bytes), c(device_, bytes);
    const float one = 1;
    for (const Buffer* buffer : {&a, &b}) queue_->fill(buffer->at(), bytes, &one, sizeof one);
    const std::vector<int64_t> dims = {kSide, kSide}, strides = {kSide, 1};
    const auto view = [&](const Buffer& buffer) { return TensorRef{buffer.at(), ONC_F32, dims, strides}; };
    const double seconds =
        fastest([&] { Op(ONC_OP_MATMUL).in(view(a)).in(view(b)).no_in().out(view(c)).scalar(1.0).scalar(0.0).run(*queue_); });
    float got = 0;
    queue_->copy_d2h(&got, c.at(bytes - sizeof got), sizeof got);
    if (got != static_cast<float>(kSide))
      return found(Level::problem, "speed",
                   text_of("a product of ones of %d terms gives %g", static_cast<int>(kSide), static_cast<double>(got)),
                   "see which op is wrong below");
    found(Level::ok, "speed",
          text_of("products of 256 x 256 matrices: %.3g GFLOP/s", 2.0 * kSide * kSide * kSide / seconds * 1e-9));
  }

 private:
  template <class Expect>
  void maps(const Buffer& b, Bytes& image, Bytes& back, const Expect& expect) {
    const Api& api = device_.api();
    const uint64_t bytes = image.size();
    const auto mapped = [&](uint32_t flags, const auto& use) {
      const auto guard = queue_->lock();
      void* host = nullptr;
      api.check(api.buffer_map(queue_->handle(), b.at(), bytes, flags, &host));
      use(static_cast<unsigned char*>(host));
      api.check(api.buffer_unmap(queue_->handle(), b.at(), host));
    };
    mapped(ONC_MAP_READ, [&](const unsigned char* host) { std::memcpy(back.data(), host, bytes); });
    expect("buffer_map (clEnqueueMapBuffer) for reading", image);
    mapped(ONC_MAP_READ | ONC_MAP_WRITE, [&](unsigned char* host) { std::memcpy(host, image.data(), 1), host[0] = 0x11; });
    image[0] = 0x11;
    queue_->copy_d2h(back.data(), b.at(), bytes);
    expect("buffer_map (clEnqueueMapBuffer) for writing", image);
  }

  static bool same(const char* call, uint64_t bytes, const Bytes& got, const Bytes& expected) {
    const auto [g, e] = std::mismatch(got.begin(), got.end(), expected.begin());
    if (g == got.end()) return true;
    found(Level::problem, "memory",
          text_of("%s of %llu bytes is wrong: byte %lld is 0x%02x instead of 0x%02x", call, static_cast<unsigned long long>(bytes),
                  static_cast<long long>(g - got.begin()), *g, *e),
          "nothing can be right with this driver: use another version of it");
    return false;
  }

  static Bytes random(uint64_t bytes) {
    std::mt19937 generator(1);
    Bytes out(bytes);
    for (unsigned char& byte : out) byte = static_cast<unsigned char>(generator());
    return out;
  }

  // Of several runs within a fifth of a second, after one that warms up.
  template <class Run>
  double fastest(Run&& run) {
    run();
    queue_->finish();
    double best = 1e9;
    const double until = now() + 0.2;
    do {
      const double start = now();
      run();
      queue_->finish();
      best = std::min(best, now() - start);
    } while (now() < until);
    return best;
  }

  Device& device_;
  std::unique_ptr<Queue> queue_;
  bool mapping_;
};

int check_device(const DoctorOptions& options) {
  begin("opening the device");
  std::shared_ptr<Device> device;
  try {
    device = Registry::get().device(static_cast<uint32_t>(options.device));
  } catch (const std::exception& error) {
    found(Level::problem, "open", error.what(), "mend what the line says, or update the driver");
    return 0;
  }
  begin("making a queue");
  Check check(device);
  if (options.step == "speed") {
    check.part("bandwidth", [&] { check.bandwidth(); });
    check.part("products", [&] { check.products(); });
    return 0;
  }
  check.part("what the driver claims", [&] { check.examine(); });
  check.part("copies", [&] { check.copies(); });
  check.part("the order of two queues", [&] { check.order(); });
  check.part("event times", [&] { check.times(); });
  return 0;
}

}  // namespace

int work(const DoctorOptions& options) {
  if (options.step == "loader") loader(options);
  if (options.step == "icd") icd(options);
  return options.step == "device" || options.step == "speed" ? check_device(options) : 0;
}

std::string last_line(std::string text) {
  while (!text.empty() && text.back() == '\n') text.pop_back();
  return text.substr(text.find_last_of('\n') + 1);  // npos + 1 is 0
}

bool run_worker(DoctorReport& report, const DoctorOptions& options, const std::vector<std::string>& arguments) {
  std::vector<std::string> all = {"doctor"};
  all.insert(all.end(), arguments.begin(), arguments.end());
  if (!options.root.empty()) all.insert(all.end(), {"--root", options.root});
  std::string doing = "starting";
  const Ended ended = run_child(all, options.limit, [&](const std::string& line) {
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return;  // a driver's own words
    if (json.contains("begin")) {
      doing = json["begin"].get<std::string>();
    } else if (json.contains("level")) {
      report.add(static_cast<Level>(json["level"].get<int>()), json["text"].get<std::string>(), json["advice"].get<std::string>());
    }
  });
  if (!ended.errors.empty()) report.detail("What " + arguments[1] + " wrote to standard error", ended.errors);
  if (ended.how.empty() && ended.status == 0) return true;
  const std::string how = ended.how.empty() ? "failed (" + last_line(ended.errors) + ")" : ended.how;
  report.add(Level::problem, "a process " + how + " while " + doing,
             "update the driver, or report it to its makers with this line");
  return false;
}

}  // namespace oncilla::tools
