// The distributions: what they look like, that elements and streams are independent, and that every runtime draws the same bits.
// Seeds are fixed, so that a test that passes once passes always; limits are quantiles that a right generator passes at nearly
// every seed.
//
// The draws come from the plugins beside the executable: the reference, and the opencl plugin on whatever runtime is there.
#include "core/random.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include "core/op.hpp"
#include "plugins.hpp"

using namespace oncilla;

namespace {

constexpr int64_t kCount = 1 << 15;
using Make = std::function<Value(Tape&, uint32_t dtype)>;

struct Distribution {
  const char* name;
  Make draw;  // parameters as constants
  std::function<double(double)> cdf;
  bool whole;             // values are whole numbers
  double mean, variance;  // NaN: none
  uint64_t golden32, golden64;
};

double normal_cdf(double x) { return 0.5 * std::erfc(-x / std::sqrt(2.0)); }

const std::vector<Distribution>& distributions() {
  const double nan = std::nan("");
  static const std::vector<Distribution> all = {
      {"uniform", [](Tape& t, uint32_t d) { return uniform(t, d); }, [](double x) { return x; }, false, 0.5, 1.0 / 12,
       0xc3e4d1d1bdd6448b, 0xe355cae41dcc2e6c},
      {"uniform_open", [](Tape& t, uint32_t d) { return uniform_open(t, d); }, [](double x) { return x; }, false, 0.5, 1.0 / 12,
       0x040756ba5958b557, 0xb5da10eefae91c22},
      {"normal", [](Tape& t, uint32_t d) { return normal(t, d); }, normal_cdf, false, 0, 1, 0xbe95a6c48d979b71, 0x6937cec60a680cb0},
      {"exponential", [](Tape& t, uint32_t d) { return exponential(t, t.constant(d, 0.5)); },
       [](double x) { return -std::expm1(-2 * x); }, false, 0.5, 0.25, 0x0455e533970ba3c3, 0xbd71e3e1d56678db},
      {"cauchy", [](Tape& t, uint32_t d) { return cauchy(t, t.constant(d, 1), t.constant(d, 2)); },
       [](double x) { return 0.5 + std::atan((x - 1) / 2) / 3.141592653589793; }, false, nan, nan, 0x61aa97fc52690366,
       0x8c7d09be4611f8d9},
      {"log_normal", [](Tape& t, uint32_t d) { return log_normal(t, t.constant(d, 0.25), t.constant(d, 0.5)); },
       [](double x) { return x <= 0 ? 0 : normal_cdf((std::log(x) - 0.25) / 0.5); }, false, std::exp(0.375),
       std::expm1(0.25) * std::exp(0.75), 0x3dca51a108afaeb2, 0xf0ec498499e6a65d},
      {"bernoulli", [](Tape& t, uint32_t d) { return t.cast(bernoulli(t, t.constant(d, 0.3)), d); },
       [](double x) { return x < 0   ? 0
                             : x < 1 ? 0.7
                                     : 1; }, true, 0.3, 0.21, 0x24a161762ecfeb18, 0xb7e405cc6d18beb8},
      {"geometric", [](Tape& t, uint32_t d) { return geometric(t, t.constant(d, 1 / std::log1p(-0.2))); },
       [](double x) { return x < 1 ? 0 : -std::expm1(std::floor(x) * std::log1p(-0.2)); }, true, 5, 20, 0xdfd91ec9c53de00e,
       0xc7720dfafeb70476},
  };
  return all;
}

class Drawer {
 public:
  explicit Drawer(Device& device) : device_(device), queue_(device.create_queue()) {}

  bool fp64() const { return (" " + std::string(device_.info().features) + " ").find(" fp64 ") != std::string::npos; }

  std::vector<unsigned char> bytes(const Make& make, uint32_t dtype, int64_t seed, int64_t offset, int64_t count = kCount) {
    Tape tape;
    tape.output(make(tape, dtype));
    const uint64_t size = static_cast<uint64_t>(count) * (dtype == ONC_F64 ? 8 : 4);
    onc_buffer* buffer = nullptr;
    const Api& api = device_.api();
    api.check(api.buffer_alloc(device_.handle(), size, &buffer));
    const int64_t dims[] = {count}, strides[] = {1};
    Op(ONC_OP_EXPR).tape(tape, dims).out({{buffer, 0}, dtype, dims, strides}).scalar_int(seed).scalar_int(offset).run(*queue_);
    std::vector<unsigned char> host(size);
    queue_->finish();
    queue_->copy_d2h(host.data(), {buffer, 0}, size);
    queue_->finish();
    api.buffer_free(buffer);
    return host;
  }

  std::vector<double> draw(const Make& make, uint32_t dtype, int64_t seed, int64_t offset) {
    const std::vector<unsigned char> from = bytes(make, dtype, seed, offset);
    std::vector<double> values(kCount);
    for (size_t i = 0; i < values.size(); ++i) {
      float single = 0;
      if (dtype == ONC_F64) {
        std::memcpy(&values[i], from.data() + 8 * i, 8);
      } else {
        std::memcpy(&single, from.data() + 4 * i, 4);
        values[i] = static_cast<double>(single);
      }
    }
    return values;
  }

 private:
  Device& device_;
  std::unique_ptr<Queue> queue_;
};

// FNV-1a.
uint64_t digest(const std::vector<unsigned char>& bytes) {
  uint64_t h = 0xcbf29ce484222325;
  for (const unsigned char byte : bytes) h = (h ^ byte) * 0x100000001b3;
  return h;
}

// The largest distance between the empirical distribution and the true one, times sqrt(n): beyond 1.95 at one seed in a thousand.
double kolmogorov(std::vector<double> values, const std::function<double(double)>& cdf) {
  std::sort(values.begin(), values.end());
  const auto n = static_cast<double>(values.size());
  double most = 0;
  for (size_t i = 0; i < values.size(); ++i) {
    const double p = cdf(values[i]), at = static_cast<double>(i);
    most = std::max({most, p - at / n, (at + 1) / n - p});
  }
  return most * std::sqrt(n);
}

// Chi-square of counts of whole numbers 0 … 20, less its degrees of freedom, in standard deviations.
double chi_square(const std::vector<double>& values, const std::function<double(double)>& cdf) {
  double sum = 0, freedom = -1;
  const auto n = static_cast<double>(values.size());
  for (int k = 0; k <= 20; ++k) {
    const double p = cdf(k) - cdf(k - 1), expected = n * p;
    if (expected < 5) continue;
    const auto seen = static_cast<double>(std::count(values.begin(), values.end(), static_cast<double>(k)));
    sum += (seen - expected) * (seen - expected) / expected;
    freedom += 1;
  }
  return (sum - freedom) / std::sqrt(2 * freedom);
}

// Correlation, times sqrt(n): a standard normal where a and b are independent.
double correlation(const std::vector<double>& a, const std::vector<double>& b, size_t lag) {
  const size_t n = a.size() - lag;
  const auto mean = [](const std::vector<double>& x) {
    return std::accumulate(x.begin(), x.end(), 0.0) / static_cast<double>(x.size());
  };
  const double ma = mean(a), mb = mean(b);
  double ab = 0, aa = 0, bb = 0;
  for (size_t i = 0; i < n; ++i) {
    ab += (a[i] - ma) * (b[i + lag] - mb);
    aa += (a[i] - ma) * (a[i] - ma);
    bb += (b[i + lag] - mb) * (b[i + lag] - mb);
  }
  return ab / std::sqrt(aa * bb) * std::sqrt(static_cast<double>(n));
}

}  // namespace

TEST_CASE("random: distributions and moments") {
  const auto device = test::open_plugin("reference");
  REQUIRE(device != nullptr);
  Drawer drawer(*device);
  for (const Distribution& d : distributions()) {
    for (const uint32_t dtype : {ONC_F32, ONC_F64}) {
      CAPTURE(std::string(d.name));
      CAPTURE(dtype);
      const std::vector<double> x = drawer.draw(d.draw, dtype, 42, 7);
      CHECK(std::all_of(x.begin(), x.end(), [](double v) { return std::isfinite(v); }));
      if (d.whole) {
        CHECK(std::fabs(chi_square(x, d.cdf)) < 4);
      } else {
        CHECK(kolmogorov(x, d.cdf) < 1.95);
      }
      if (std::isnan(d.mean)) continue;
      const double n = static_cast<double>(kCount), mean = std::accumulate(x.begin(), x.end(), 0.0) / n;
      double variance = 0;
      for (const double v : x) variance += (v - mean) * (v - mean) / n;
      CHECK(std::fabs(mean - d.mean) < 4 * std::sqrt(d.variance / n));
      CHECK(variance == doctest::Approx(d.variance).epsilon(0.08));
    }
  }
}

TEST_CASE("random: neighbours, seeds and offsets are independent") {
  const auto device = test::open_plugin("reference");
  REQUIRE(device != nullptr);
  Drawer drawer(*device);
  const Make flat = [](Tape& t, uint32_t d) { return uniform(t, d); };
  const std::vector<double> x = drawer.draw(flat, ONC_F32, 42, 7);
  for (const size_t lag : {1, 2, 3, 4, 16, 256}) CHECK(std::fabs(correlation(x, x, lag)) < 4);
  for (const auto& [seed, offset] :
       std::vector<std::pair<int64_t, int64_t>>{{43, 7}, {42, 8}, {42 + (int64_t{1} << 32), 7}, {42, 7 + (int64_t{1} << 32)}}) {
    const std::vector<double> y = drawer.draw(flat, ONC_F32, seed, offset);
    CHECK(x != y);
    CHECK(std::fabs(correlation(x, y, 0)) < 4);
  }
  // Pairs of neighbours fill the unit square: chi-square over 16 by 16 cells.
  std::vector<double> cells;
  for (size_t i = 0; i + 1 < x.size(); i += 2) cells.push_back(std::floor(x[i] * 16) * 16 + std::floor(x[i + 1] * 16));
  double sum = 0;
  const double expected = static_cast<double>(cells.size()) / 256;
  for (int k = 0; k < 256; ++k) {
    const double seen = static_cast<double>(std::count(cells.begin(), cells.end(), static_cast<double>(k)));
    sum += (seen - expected) * (seen - expected) / expected;
  }
  CHECK(std::fabs(sum - 255) < 4 * std::sqrt(2 * 255.0));
}

TEST_CASE("random: every runtime draws the same bits") {
  for (const char* name : {"reference", "opencl"}) {
    const auto device = test::open_plugin(name);
    if (device == nullptr) continue;
    Drawer drawer(*device);
    for (const Distribution& d : distributions()) {
      CAPTURE(std::string(name));
      CAPTURE(std::string(d.name));
      CHECK(digest(drawer.bytes(d.draw, ONC_F32, 42, 7, 4099)) == d.golden32);
      if (drawer.fp64()) CHECK(digest(drawer.bytes(d.draw, ONC_F64, 42, 7, 4099)) == d.golden64);
    }
  }
}
