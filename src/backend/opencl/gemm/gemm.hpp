// Providers of the matrix product d = alpha * a @ b + beta * c, and the problem as they see it. A provider plans once and runs
// often; which one serves a problem is the op's choice (ops/matmul.cpp). kernels/matmul.cl and
// kernels/matmul_tile.cl hold the kernels of all but CLBlast.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "expr/epilogue.hpp"
#include "kit/backend.hpp"
#include "runtime/device.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

// Elements between neighbouring rows, columns and matrices; anything, 0 broadcasts.
struct MatrixStrides {
  int64_t row = 0, column = 0, batch = 0;
};

// Runs of `length` in a dimension of the product, and the elements between them in the two operands that have it; length 0: none.
struct GemmRuns {
  int64_t length = 0, left = 0, right = 0;
};

// The right operand of a convolution's product: padded images (kernels/matmul_tile.cl, pack_window), which hold what the kernels
// compute with.
struct GemmWindow {
  Mem places;  // of the taps: pairs of ints, of which the first counts
  int64_t taps = 0, image = 0, channel = 0, plane = 0, width = 0;
  std::array<int32_t, 4> out{};
};

struct GemmProblem {
  uint32_t dtype = 0;
  int64_t batch = 1, m = 0, n = 0, k = 0;  // m, n and batch are at least 1
  MatrixStrides a, b, c, d;
  GemmRuns step_run, column_run;     // of k in a and b; of n in b and d (c has none); only make_tile_gemm takes them
  std::optional<GemmWindow> window;  // gives the columns of b, of whose strides only that of the batch counts
  bool packed =
      false;  // a lies in panels as the tile product packs them, of TM rows by tuning; of its strides only a batch of 0 counts
  bool has_c = false;
  bool wide = false;                    // count in 64 bits
  const kit::Tape* epilogue = nullptr;  // of the plan's descriptor
  std::vector<EpilogueTensor> further;  // its tensors

  // The same product as d^T = b^T @ a^T.
  GemmProblem transposed() const;
};

struct GemmOperands {
  Mem a, b, c, d;
  onc_scalar alpha, beta;  // .i for integers
  onc_arg workspace;
  std::vector<Mem> further;               // the epilogue's tensors
  std::span<const onc_scalar> scalars{};  // and scalars
};

class Gemm {
 public:
  virtual ~Gemm() = default;
  virtual uint64_t workspace_bytes() const { return 0; }
  virtual void run(onc_queue& queue, const GemmOperands& operands) = 0;
};

// Most matrices of a batch in one launch: some devices take no more work-groups along a dim.
inline constexpr int64_t kBatchLaunch = 65535;

// For CPU-class devices: register tiles of explicit vectors over packed panels. Parameters TM (rows of a tile), VB (bytes of a
// vector), KC (steps between stores).
std::unique_ptr<Gemm> make_tile_gemm(Device& device, GemmProblem problem, const Tuning& tuning);
// For CPU-class devices and few rows or columns: no packing; needs unit strides that rows_fits checks. Parameters RM (rows of a
// work-item), VB.
std::unique_ptr<Gemm> make_rows_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning);
bool rows_fits(const GemmProblem& problem);
// Packing would cost more than it saves: at most 32 rows, or columns, and the other side read along its unit stride in whole
// blocks; or at most 64 by 64 dot products, at least twice as long as there are of them.
bool rows_few(const GemmProblem& problem);
// For CPU-class devices and long sums of few results: parts of each sum side by side, then the sum of the parts; needs unit strides
// along a row of one operand. Parameters VB, KS (least steps of a part).
std::unique_ptr<Gemm> make_split_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning);
// The same for small products: whole sums, and one launch. Parameter VB.
std::unique_ptr<Gemm> make_panel_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning);
bool split_fits(const GemmProblem& problem);
// For GPU-class devices: work-groups that share tiles in local memory. Parameters GROUP, ITEM, KB.
std::unique_ptr<Gemm> make_local_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning);
// One work-item an element.
std::unique_ptr<Gemm> make_direct_gemm(Device& device, GemmProblem problem);
// CLBlast's kernels; only where clblast_fits. It applies no epilogue.
std::unique_ptr<Gemm> make_clblast_gemm(Device& device, const GemmProblem& problem);
bool clblast_fits(const GemmProblem& problem);

// ROW_PANEL of lib/tile.h: rows of a packed panel.
inline constexpr int64_t kRowPanel = 16;

// The type of a sum of products of a dtype: float or double, or an unsigned one whose sums wrap.
const char* gemm_type(uint32_t dtype);
// What the kernels read of a dtype and the index: T, storage (lib/storage.h), INTEGER (lib/multiply_add.h), WIDE_INDEX.
Defines gemm_defines(uint32_t dtype, bool wide);
// The widest vector of at most `bytes` bytes that the tile kernels know, in elements: 16 or 8.
int64_t tile_vector_width(uint32_t dtype, int64_t bytes);

}  // namespace oncilla::ocl
