// Complex matrix products made of real ones (core/complex.hpp), on the plugins beside the executable, against std::complex.
#include "core/complex.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <complex>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "plugins.hpp"

using namespace oncilla;

namespace {

using Dims = std::vector<int64_t>;

template <class Real>
constexpr uint32_t kParts = sizeof(Real) == 8 ? ONC_F64 : ONC_F32;

// A batch of matrices of Real pairs; swapped: the columns lie in a row.
template <class Real>
struct Matrices {
  using Number = std::complex<Real>;
  const Api& api;
  onc_buffer* buffer = nullptr;
  Dims dims, strides;
  std::vector<Number> values;  // of the host

  Matrices(Device& device, Dims sizes, bool swapped, unsigned seed) : api(device.api()), dims(std::move(sizes)) {
    const int64_t batch = dims[1] * dims[2];
    strides = swapped ? Dims{batch, 1, dims[1]} : Dims{batch, dims[2], 1};
    std::mt19937 bits(seed);
    for (int64_t i = 0; i < dims[0] * batch; ++i) {
      const auto part = [&] { return static_cast<Real>(static_cast<int>(bits() % 65) - 32) / 8; };
      const Real re = part(), im = part();
      values.emplace_back(re, im);
    }
    api.check(
        api.buffer_alloc(device.handle(), std::max<size_t>(1, values.size()) * sizeof(Number), &buffer));  // no buffer is empty
  }
  Matrices(const Matrices&) = delete;
  ~Matrices() { api.buffer_free(buffer); }
  Number at(int64_t n, int64_t i, int64_t j) const {
    return values[static_cast<size_t>(n * strides[0] + i * strides[1] + j * strides[2])];
  }
  ComplexView view() const { return {{buffer, 0}, kParts<Real>, dims, strides}; }
};

struct Lab {
  Device& device;
  std::unique_ptr<Queue> queue;
  explicit Lab(Device& device) : device(device), queue(device.create_queue()) {}
  bool fp64() const { return (" " + std::string(device.info().features) + " ").find(" fp64 ") != std::string::npos; }
};

// Parts are eighths of small integers: every sum is exact, in whatever order.
template <class Real>
void check_product(Lab& lab, Dims sizes, bool swap_a, bool swap_b, bool conj_b) {
  const int64_t batch = sizes[0], m = sizes[1], n = sizes[2], k = sizes[3];
  CAPTURE(m);
  CAPTURE(n);
  CAPTURE(k);
  CAPTURE(conj_b);
  Matrices<Real> a(lab.device, {batch, m, k}, swap_a, 1), b(lab.device, {batch, k, n}, swap_b, 2),
      d(lab.device, {batch, m, n}, false, 3);
  for (Matrices<Real>* each : {&a, &b, &d})
    lab.queue->copy_h2d({each->buffer, 0}, each->values.data(), each->values.size() * sizeof each->values[0]);
  complex_matmul(*lab.queue, a.view(), b.view(), d.view(), conj_b);
  lab.queue->copy_d2h(d.values.data(), {d.buffer, 0}, d.values.size() * sizeof d.values[0]);
  lab.queue->finish();
  int64_t wrong = 0;
  for (int64_t s = 0; s < batch; ++s) {
    for (int64_t i = 0; i < m; ++i) {
      for (int64_t j = 0; j < n; ++j) {
        std::complex<Real> sum = 0;
        for (int64_t x = 0; x < k; ++x) sum += a.at(s, i, x) * (conj_b ? std::conj(b.at(s, x, j)) : b.at(s, x, j));
        wrong += d.at(s, i, j) != sum;
      }
    }
  }
  CHECK(wrong == 0);
}

}  // namespace

TEST_CASE("complex: products of matrices, strided, in batches, conjugated") {
  test::on_each_plugin<Lab>([](Lab& lab) {
    for (const bool conj_b : {false, true}) {
      for (const Dims& sizes : {Dims{1, 1, 1, 1}, Dims{1, 5, 7, 11}, Dims{3, 13, 11, 7}, Dims{2, 33, 17, 40}}) {
        check_product<float>(lab, sizes, false, false, conj_b);
        check_product<float>(lab, sizes, true, true, conj_b);
        if (lab.fp64()) check_product<double>(lab, sizes, true, false, conj_b);
      }
    }
    check_product<float>(lab, {1, 4, 3, 0}, false, false, false);  // a sum of nothing is 0
  });
}

TEST_CASE("complex: parts of another dtype are refused") {
  const Dims dims{2}, strides{1};
  CHECK_THROWS_WITH_AS(ComplexView({nullptr, 0}, ONC_F16, dims, strides), "[complex] parts are float32 or float64, not float16",
                       Error);
}
