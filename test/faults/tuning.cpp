// The user's tuning file: its rows are followed, and whatever is wrong with it, the shipped rows serve and the device says so. And
// variants that are forced with parameters.
#include <doctest/doctest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "../unit/failure.hpp"
#include "core/device.hpp"

using namespace oncilla;
using test::has;
namespace fs = std::filesystem;

namespace {

std::shared_ptr<Backend> opencl() {
  const std::string path = ONC_TEST_LIB_DIR "/liboncilla_opencl.so";
  return ::access(path.c_str(), F_OK) == 0 ? Backend::load(path) : nullptr;
}

struct File {
  std::string path = (fs::temp_directory_path() / ("oncilla_tuning_" + std::to_string(::getpid()) + ".json")).string();
  explicit File(const std::string& text) { std::ofstream(path) << text; }
  ~File() { fs::remove(path); }
};

std::string rows(const std::string& text) { return "{\"format\": 1, \"rows\": [" + text + "]}"; }
std::string row(const std::string& rest, const std::string& op = "matmul") { return "{\"op\": \"" + op + "\", " + rest + "}"; }

// What a product of 48 x 48 is planned as: of the class "small".
struct Planned {
  std::string variant, shape_class, parameters, choices, warnings;
};
Planned planned(const std::shared_ptr<Backend>& backend, const char* file, const char* forced = nullptr) {
  const auto device = Device::open(backend, 0, nullptr, file);
  const Api& api = device->api();
  const int64_t dims[] = {48, 48}, strides[] = {48, 1};
  onc_tensor_desc tensor{};
  tensor.size = sizeof tensor;
  tensor.dtype = ONC_F32;
  tensor.rank = 2;
  tensor.dims = dims;
  tensor.strides = strides;
  const onc_tensor_desc *in[] = {&tensor, &tensor, nullptr}, *out[] = {&tensor};
  onc_op_desc desc{};
  desc.size = sizeof desc;
  desc.op = ONC_OP_MATMUL;
  desc.n_in = 3;
  desc.n_out = 1;
  desc.in = in;
  desc.out = out;
  onc_ext_variant variant{{ONC_EXT_VARIANT, sizeof variant, nullptr}, forced};
  if (forced != nullptr) desc.next = &variant.head;
  onc_plan* plan = nullptr;
  api.check(api.plan_create(device->handle(), &desc, &plan));
  onc_plan_info info{};
  info.size = sizeof info;
  api.check(api.plan_info(plan, &info));
  Planned found{info.variant, info.shape_class, info.parameters, info.choices, device->stats().warnings};
  api.plan_free(plan);
  return found;
}

std::string quoted(const char* text) { return std::string("\"") + text + "\""; }

}  // namespace

TEST_CASE("tuning: a row of the user's goes over the shipped ones") {
  const auto backend = opencl();
  if (!backend) return;
  const auto device = Device::open(backend, 0, nullptr, "");
  const onc_device_info& info = device->info();
  const Planned shipped = planned(backend, "");
  CHECK(shipped.shape_class == "small");
  CHECK(has(shipped.choices, "tile:TM=2|4|"));
  CHECK(shipped.variant != "direct");
  CHECK(shipped.warnings.find("tuning") == std::string::npos);

  const std::string name = quoted(info.name), platform = quoted(info.platform);
  const std::string ours[] = {"", "\"device\": {\"name\": " + name + "}, ",
                              "\"device\": {\"platform\": " + platform + ", \"name\": " + name + ", \"driver_from\": \"0.1\"}, ",
                              "\"device\": {\"name\": " + name + ", \"driver_until\": \"99999\"}, "};
  for (const std::string& key : ours) {
    CAPTURE(key);
    const File file(
        rows(row(key + "\"shape_class\": \"small\", \"dtype\": \"float32\", \"variant\": \"tile\", \"parameters\": {\"TM\": 6}")));
    const Planned own = planned(backend, file.path.c_str());
    CHECK(own.variant == "tile");
    CHECK(has(own.parameters, "TM=6"));
    CHECK(own.warnings.find("tuning") == std::string::npos);
  }
  const std::string others[] = {"\"device\": {\"name\": \"another\"}, ",
                                "\"device\": {\"name\": " + name + ", \"driver_from\": \"99999\"}, ",
                                "\"device\": {\"name\": " + name + ", \"driver_until\": \"0.1\"}, ", "\"dtype\": \"float64\", ",
                                "\"shape_class\": \"large\", "};
  for (const std::string& key : others) {
    CAPTURE(key);
    const File file(rows(row(key + "\"variant\": \"direct\"")));
    const Planned other = planned(backend, file.path.c_str());
    CHECK(other.variant == shipped.variant);
    CHECK(other.parameters == shipped.parameters);
  }
}

TEST_CASE("tuning: of several rows the most specific counts, and of equals the last") {
  const auto backend = opencl();
  if (!backend) return;
  const auto with = [&](const std::string& text) {
    const File file(rows(text));
    return planned(backend, file.path.c_str());
  };
  const std::string any = row("\"variant\": \"local\""), small = row("\"shape_class\": \"small\", \"variant\": \"direct\""),
                    tiled = row("\"shape_class\": \"small\", \"variant\": \"tile\", \"parameters\": {\"KC\": 64}");
  CHECK(with(any).variant == "local");
  CHECK(with(small + ", " + any).variant == "direct");
  CHECK(with(small + ", " + tiled).variant == "tile");
  CHECK(with(tiled + ", " + small).variant == "direct");
  CHECK(has(with(tiled + ", " + any).parameters, "KC=64"));
}

TEST_CASE("tuning: a file or row that is wrong is left out, and the device says so") {
  const auto backend = opencl();
  if (!backend) return;
  const Planned shipped = planned(backend, "");
  const std::pair<std::string, const char*> files[] = {
      {"", "it is not used"},
      {"{", "it is not used"},
      {"[1]", "it is not used"},
      {"{\"rows\": []}", "it is not used"},
      {"{\"format\": 2, \"rows\": []}", "its format is 2, and this version of Oncilla reads 1"},
      {"{\"format\": 1}", "it is not used"},
      {rows("7"), "a row is left out"},
      {rows("{}"), "a row is left out"},
      {rows(row("\"variant\": 3")), "a row is left out"},
      {rows(row("\"variant\": \"direct\"", "nonsense")), "\"nonsense\" has no rows"},
      {rows(row("\"variant\": \"direct\", \"device\": {\"colour\": \"red\"}")), "a device has no \"colour\""},
      {rows(row("\"variant\": \"tile\", \"parameters\": {\"TM\": 13}")), "TM=13 of variant 'tile' of matmul is none of 2 4 6"},
      {rows(row("\"variant\": \"tile\", \"parameters\": {\"RM\": 2}")),
       "variant 'tile' of matmul has no parameter RM; it has: TM VB KC"},
      {rows(row("\"variant\": \"direct\", \"parameters\": {\"TM\": 2}")), "has no parameter TM"},
  };
  for (const auto& [text, message] : files) {
    CAPTURE(text);
    const File file(text);
    const Planned own = planned(backend, file.path.c_str());
    CHECK(own.variant == shipped.variant);
    CHECK(own.parameters == shipped.parameters);
    CHECK(has(own.warnings, file.path));
    CHECK(has(own.warnings, message));
  }
  CHECK(has(planned(backend, "/nonexistent/tuning.json").warnings, "/nonexistent/tuning.json"));
  // What is right beside what is wrong is used; a variant that does not fit is passed over.
  const File mixed(rows(row("\"variant\": 3") + ", " + row("\"variant\": \"direct\"")));
  CHECK(planned(backend, mixed.path.c_str()).variant == "direct");
  const File unknown(rows(row("\"variant\": \"of another version\"")));
  CHECK(planned(backend, unknown.path.c_str()).variant == shipped.variant);
}

TEST_CASE("tuning: without the shipped rows of devices those for any device serve") {
  const auto backend = opencl();
  if (!backend) return;
  CHECK(planned(backend, "only:").variant == "local");
  const File file(rows(row("\"variant\": \"direct\"")));
  CHECK(planned(backend, ("only:" + file.path).c_str()).variant == "direct");
}

TEST_CASE("tuning: a variant is forced with parameters") {
  const auto backend = opencl();
  if (!backend) return;
  const Planned forced = planned(backend, "", "tile:TM=6,VB=32");
  CHECK(forced.variant == "tile");
  CHECK(has(forced.parameters, "TM=6 VB=32 KC="));
  const std::pair<const char*, const char*> wrong[] = {
      {"tile:TM=13", "[matmul] TM=13 of variant 'tile' of matmul is none of"},
      {"tile:RM=2", "[matmul] variant 'tile' of matmul has no parameter RM"},
      {"tile:TM", "'TM' is not NAME=number"},
      {"tile:TM=", "'TM=' is not NAME=number"},
      {"tile:TM=6x", "'TM=6x' is not NAME=number"},
      {"tile:TM=99999999999999999999", "is not NAME=number"},
      {"nothing", "no variant 'nothing'"},
      {"nothing:TM=6", "TM"},
  };
  for (const auto& [name, message] : wrong) {
    CAPTURE(name);
    CHECK_THROWS_WITH_AS(planned(backend, "", name), doctest::Contains(message), Error);
  }
}
