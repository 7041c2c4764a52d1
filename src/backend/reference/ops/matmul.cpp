// MATMUL: floating dtypes in double, by Eigen; integers in 64 bits that wrap.
#include <Eigen/Core>

#include "epilogue.hpp"
#include "ops/ops.hpp"

namespace oncilla::reference {
namespace {

struct Sizes {
  int64_t batches, m, k, n;
};

std::vector<Number> floating(const Call& call, const Sizes& s) {
  using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  const double alpha = call.scalar(0), beta = call.scalar(1);
  const std::vector<double> a = call.read(0), b = call.read(1), c = beta != 0 ? call.read(2) : std::vector<double>();
  std::vector<Number> d(static_cast<size_t>(s.batches * s.m * s.n));
  for (int64_t batch = 0; batch < s.batches; ++batch) {
    const Eigen::Map<const Matrix> left(a.data() + batch * s.m * s.k, s.m, s.k), right(b.data() + batch * s.k * s.n, s.k, s.n);
    Matrix result = Matrix::Zero(s.m, s.n);
    if (s.k > 0) result = alpha * (left * right);
    if (!c.empty()) result += beta * Eigen::Map<const Matrix>(c.data() + batch * s.m * s.n, s.m, s.n);
    for (int64_t i = 0; i < s.m * s.n; ++i) d[static_cast<size_t>(batch * s.m * s.n + i)].f = result.data()[i];
  }
  return d;
}

std::vector<Number> integer(const Call& call, const Sizes& s) {
  const auto alpha = static_cast<uint64_t>(call.scalars()[0].i), beta = static_cast<uint64_t>(call.scalars()[1].i);
  const std::vector<int64_t> a = call.read_int(0), b = call.read_int(1), c = beta != 0 ? call.read_int(2) : std::vector<int64_t>();
  const auto at = [](const std::vector<int64_t>& from, int64_t i) { return static_cast<uint64_t>(from[static_cast<size_t>(i)]); };
  std::vector<Number> d;
  for (int64_t batch = 0; batch < s.batches; ++batch) {
    for (int64_t i = 0; i < s.m * s.n; ++i) {
      uint64_t sum = 0;
      for (int64_t k = 0; k < s.k; ++k) sum += at(a, (batch * s.m + i / s.n) * s.k + k) * at(b, (batch * s.k + k) * s.n + i % s.n);
      sum *= alpha;
      if (!c.empty()) sum += beta * at(c, batch * s.m * s.n + i);
      d.push_back({.i = static_cast<int64_t>(sum)});
    }
  }
  return d;
}

}  // namespace

std::unique_ptr<onc_plan> make_matmul(kit::OpDesc desc) {
  const kit::Dims &a = desc.input(0).dims, &b = desc.input(1).dims;
  const Sizes sizes{a.size() == 3 ? a[0] : 1, a[a.size() - 2], a.back(), b.back()};
  const bool is_integer = !is_float(desc.output(0).dtype);
  const auto flops = static_cast<uint64_t>(2 * sizes.batches * sizes.m * sizes.n * sizes.k);
  return make_plan(std::move(desc), flops,
                   [=](const Call& call) { write_result(call, is_integer ? integer(call, sizes) : floating(call, sizes), 2); });
}

}  // namespace oncilla::reference
