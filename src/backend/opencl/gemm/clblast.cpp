// CLBlast as a provider of matrix products. It multiplies in place (C = alpha A B + beta C), so that c is first copied to d where
// they are two.
#include "gemm/gemm.hpp"

#include <clblast.h>

#include <mutex>
#include <utility>

namespace oncilla::ocl {
namespace {

// CLBlast 1.5's cache of compiled kernels is not thread-safe (mended in 1.6.1).
std::mutex& library_mutex() {
  static std::mutex mutex;
  return mutex;
}

// A matrix as BLAS takes it: unit stride along rows (not transposed) or along columns.
struct BlasMatrix {
  bool fits = false, transposed = false;
  int64_t leading = 1;
};

BlasMatrix blas_matrix(int64_t rows, int64_t columns, const MatrixStrides& s) {
  // A dim of size 1 has no stride that matters.
  const int64_t row = rows == 1 ? columns * (columns == 1 ? 1 : s.column) : s.row;
  const int64_t column = columns == 1 ? (rows == 1 || s.row == 1 ? rows : 1) : s.column;
  if (column == 1 && row >= columns) return {true, false, row};
  if (row == 1 && column >= rows) return {true, true, column};
  return {};
}

// The product with a row-major d.
GemmProblem oriented(const GemmProblem& p) { return blas_matrix(p.m, p.n, p.d).transposed ? p.transposed() : p; }

class ClblastGemm final : public Gemm {
 public:
  explicit ClblastGemm(const GemmProblem& problem)
      : problem_(oriented(problem)), swapped_(blas_matrix(problem.m, problem.n, problem.d).transposed) {}

  void run(onc_queue& queue, const GemmOperands& given) override {
    GemmOperands o = given;
    if (swapped_) std::swap(o.a, o.b);
    if (!problem_.has_c) o.beta = {};
    if (o.beta.f != 0 && (o.c.at.buffer != o.d.at.buffer || o.c.at.offset != o.d.at.offset)) {
      // Copies the gaps of a strided d too if c has the same: so only dense ones are served (clblast_fits).
      const int64_t elements = problem_.batch * problem_.m * problem_.n;
      queue.copy_d2d(o.d.at, o.c.at, static_cast<uint64_t>(elements) * o.d.item_bytes);
    }
    std::lock_guard guard(library_mutex());
    if (problem_.dtype == ONC_F64) {
      gemm<double>(static_cast<Queue&>(queue), o);
    } else {
      gemm<float>(static_cast<Queue&>(queue), o);
    }
  }

 private:
  template <class T>
  void gemm(Queue& queue, const GemmOperands& o) {
    const GemmProblem& p = problem_;
    const BlasMatrix a = blas_matrix(p.m, p.k, p.a), b = blas_matrix(p.k, p.n, p.b), d = blas_matrix(p.m, p.n, p.d);
    const auto transpose = [](const BlasMatrix& m) { return m.transposed ? clblast::Transpose::kYes : clblast::Transpose::kNo; };
    const auto memory = [](const Mem& mem) { return static_cast<Buffer*>(mem.at.buffer)->mem()(); };
    const auto offset = [](const Mem& mem) { return static_cast<size_t>(mem.at.offset / mem.item_bytes); };
    const auto size = [](int64_t v) { return static_cast<size_t>(v); };
    const auto alpha = static_cast<T>(o.alpha.f), beta = static_cast<T>(o.beta.f);
    cl_command_queue command_queue = queue.cl()();
    const auto status =
        p.batch == 1 ? clblast::Gemm<T>(clblast::Layout::kRowMajor, transpose(a), transpose(b), size(p.m), size(p.n), size(p.k),
                                        alpha, memory(o.a), offset(o.a), size(a.leading), memory(o.b), offset(o.b), size(b.leading),
                                        beta, memory(o.d), offset(o.d), size(d.leading), &command_queue)
                     : clblast::GemmStridedBatched<T>(clblast::Layout::kRowMajor, transpose(a), transpose(b), size(p.m), size(p.n),
                                                      size(p.k), alpha, memory(o.a), offset(o.a), size(a.leading), size(p.a.batch),
                                                      memory(o.b), offset(o.b), size(b.leading), size(p.b.batch), beta, memory(o.d),
                                                      offset(o.d), size(d.leading), size(p.d.batch), size(p.batch), &command_queue);
    if (status != clblast::StatusCode::kSuccess)
      throw kit::Error(ONC_INTERNAL,
                       kit::cat("[matmul] CLBlast gave status ", static_cast<int>(status), " for ", p.m, " x ", p.n, " x ", p.k));
  }

  GemmProblem problem_;
  bool swapped_;
};

}  // namespace

bool clblast_fits(const GemmProblem& given) {
  const GemmProblem p = oriented(given);
  const BlasMatrix d = blas_matrix(p.m, p.n, p.d);
  const bool dense = d.leading == p.n && (p.batch == 1 || p.d.batch == p.m * p.n);
  const auto same = [](int64_t size, int64_t x, int64_t y) { return size == 1 || x == y; };
  const bool c_as_d = same(p.m, p.c.row, p.d.row) && same(p.n, p.c.column, p.d.column) && same(p.batch, p.c.batch, p.d.batch);
  const bool served = p.dtype == ONC_F32 || p.dtype == ONC_F64;
  return served && p.k > 0 && d.fits && !d.transposed && blas_matrix(p.m, p.k, p.a).fits && blas_matrix(p.k, p.n, p.b).fits &&
         (!p.has_c || (dense && c_as_d));
}

std::unique_ptr<Gemm> make_clblast_gemm(Device&, const GemmProblem& problem) { return std::make_unique<ClblastGemm>(problem); }

}  // namespace oncilla::ocl
