// MATMUL in double, by Eigen.
#include <Eigen/Core>

#include "ops/ops.hpp"

namespace oncilla::reference {

std::unique_ptr<onc_plan> make_matmul(kit::OpDesc desc) {
  const kit::Dims &a = desc.input(0).dims, &b = desc.input(1).dims;
  const int64_t batches = a.size() == 3 ? a[0] : 1, m = a[a.size() - 2], k = a.back(), n = b.back();
  const auto flops = static_cast<uint64_t>(2 * batches * m * n * k);
  return make_plan(std::move(desc), flops, [=](const Call& call) {
    using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
    const double alpha = call.scalar(0), beta = call.scalar(1);
    const std::vector<double> a = call.read(0), b = call.read(1), c = beta != 0 ? call.read(2) : std::vector<double>();
    std::vector<double> d(static_cast<size_t>(batches * m * n), 0.0);
    for (int64_t batch = 0; batch < batches; ++batch) {
      const Eigen::Map<const Matrix> left(a.data() + batch * m * k, m, k), right(b.data() + batch * k * n, k, n);
      Eigen::Map<Matrix> result(d.data() + batch * m * n, m, n);
      if (k > 0) result = alpha * (left * right).eval();
      if (!c.empty()) result += beta * Eigen::Map<const Matrix>(c.data() + batch * m * n, m, n);
    }
    call.write(0, d);
  });
}

}  // namespace oncilla::reference
