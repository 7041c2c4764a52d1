// The matrix products of kernels/matmul.cl: tile, rows, local and direct.
#include <algorithm>
#include <utility>

#include "gemm/gemm.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kPackChunk = 256;  // steps of the common dimension that one work-item packs

Kernel::Arguments& add_strides(Kernel::Arguments& arguments, const MatrixStrides& s) {
  return arguments.add(s.row).add(s.column).add(s.batch);
}

void add_factors(Kernel::Arguments& arguments, uint32_t dtype, const GemmOperands& operands) {
  if (dtype == ONC_F64) {
    arguments.add(operands.alpha).add(operands.beta);
  } else {
    arguments.add(static_cast<float>(operands.alpha)).add(static_cast<float>(operands.beta));
  }
}

// c as a kernel argument: without c, d stands in, because a kernel may form its address though beta is 0.
Mem addend(const GemmProblem& problem, const GemmOperands& operands) { return problem.has_c ? operands.c : operands.d; }
double factor_of_addend(const GemmProblem& problem, const GemmOperands& operands) { return problem.has_c ? operands.beta : 0; }

class TileGemm final : public Gemm {
 public:
  TileGemm(Device& device, GemmProblem problem, const Tuning& tuning) : problem_(problem) {
    const int64_t width = tile_vector_width(problem_.dtype, tuning.get("VB", 64));
    const int64_t tile_rows = std::clamp<int64_t>(tuning.get("TM", 12), 1, kRowPanel), tile_columns = 2 * width;
    // Computing the transposed product pays if it wastes less of the tiles, or where it makes the stores contiguous.
    const auto cost = [&](const GemmProblem& p) {
      const int64_t tiles = ceil_div(p.m, tile_rows) * ceil_div(p.n, tile_columns);
      return p.d.column == 1 || p.n == 1 ? 4 * tiles : 5 * tiles;
    };
    if (cost(problem_.transposed()) < cost(problem_)) swapped_ = true, problem_ = problem_.transposed();
    item_bytes_ = static_cast<int64_t>(kit::dtype_bytes(problem_.dtype));
    row_tiles_ = ceil_div(problem_.m, tile_rows);
    column_tiles_ = ceil_div(problem_.n, tile_columns);
    a_batches_ = problem_.a.batch == 0 ? 1 : problem_.batch;
    panel_batch_ = a_batches_ == 1 ? 0 : row_tiles_ * problem_.k * kRowPanel;
    const int64_t fits = static_cast<int64_t>(device.local_bytes()) / (tile_columns * item_bytes_);
    steps_ = std::max<int64_t>(1, std::min({tuning.get("KC", 256), fits, std::max<int64_t>(problem_.k, 1)}));
    local_bytes_ = static_cast<size_t>(steps_ * tile_columns * item_bytes_);
    // Many equal work-groups share out evenly; but each packs its columns anew, so a group keeps some row tiles.
    const int64_t wanted = 16 * static_cast<int64_t>(device.compute_units());
    tiles_per_group_ = std::clamp<int64_t>(row_tiles_ * column_tiles_ * problem_.batch / wanted, 8, 32);
    Defines defines;
    defines.set("TILE", 1).set("T", gemm_type(problem_.dtype)).set("VW", width).set("TM", tile_rows);
    pack_ = device.kernel("matmul.cl", "pack_rows", defines);
    tile_ = device.kernel("matmul.cl", "tile", defines);
  }

  uint64_t workspace_bytes() const override {
    return static_cast<uint64_t>(a_batches_ * row_tiles_ * problem_.k * kRowPanel * item_bytes_);
  }

  void run(onc_queue& queue, const GemmOperands& given) override {
    GemmOperands o = given;
    if (swapped_) std::swap(o.a, o.b);
    const Mem panels{problem_.k > 0 ? o.workspace : o.d.at, static_cast<uint32_t>(item_bytes_)};
    const auto m = static_cast<cl_int>(problem_.m), n = static_cast<cl_int>(problem_.n), k = static_cast<cl_int>(problem_.k);
    if (k > 0) {
      const Range items{static_cast<size_t>(row_tiles_), static_cast<size_t>(ceil_div(k, kPackChunk)),
                        static_cast<size_t>(a_batches_)};
      pack_.launch(queue, items, {1, 1, 1}, o.a, panels, m, k, static_cast<cl_int>(kPackChunk), problem_.a.row, problem_.a.column,
                   problem_.a.batch);
    }
    const Range groups{static_cast<size_t>(column_tiles_), static_cast<size_t>(ceil_div(row_tiles_, tiles_per_group_)),
                       static_cast<size_t>(problem_.batch)};
    o.beta = factor_of_addend(problem_, o);
    tile_.launch_with(queue, groups, {1, 1, 1}, [&](Kernel::Arguments& arguments) {
      arguments.add(panels).add(o.b).add(addend(problem_, o)).add(o.d).add(m).add(n).add(k);
      arguments.add(static_cast<cl_int>(steps_)).add(static_cast<cl_int>(tiles_per_group_)).add(panel_batch_);
      add_strides(arguments, problem_.b);
      add_strides(arguments, problem_.c);
      add_strides(arguments, problem_.d);
      add_factors(arguments, problem_.dtype, o);
      arguments.add(Local{local_bytes_});
    });
  }

 private:
  GemmProblem problem_;
  bool swapped_ = false;
  int64_t item_bytes_ = 4, row_tiles_ = 0, column_tiles_ = 0, a_batches_ = 1, panel_batch_ = 0, steps_ = 1, tiles_per_group_ = 1;
  size_t local_bytes_ = 0;
  Kernel pack_, tile_;
};

// The variants whose kernel takes the operands as they are: rows, local and direct.
class PlainGemm final : public Gemm {
 public:
  PlainGemm(const GemmProblem& problem, bool swapped, Kernel kernel, Range global, Range local)
      : problem_(problem), swapped_(swapped), kernel_(std::move(kernel)), global_(global), local_(local) {}

  void run(onc_queue& queue, const GemmOperands& given) override {
    GemmOperands o = given;
    if (swapped_) std::swap(o.a, o.b);
    o.beta = factor_of_addend(problem_, o);
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      arguments.add(o.a).add(o.b).add(addend(problem_, o)).add(o.d);
      for (int64_t size : {problem_.m, problem_.n, problem_.k}) arguments.add(static_cast<cl_int>(size));
      for (const MatrixStrides& strides : {problem_.a, problem_.b, problem_.c, problem_.d}) add_strides(arguments, strides);
      add_factors(arguments, problem_.dtype, o);
    });
  }

 private:
  GemmProblem problem_;
  bool swapped_;
  Kernel kernel_;
  Range global_, local_;
};

// How rows reads a problem: the few rows on the left, b along its rows or along K.
enum class RowsForm { none, across, along };
RowsForm rows_form(const GemmProblem& p) {
  if (p.b.row == 1 && p.a.column == 1) return RowsForm::along;
  return p.b.column == 1 ? RowsForm::across : RowsForm::none;
}
// The orientation that serves: the one with fewer rows, else the other.
bool rows_swapped(const GemmProblem& p) {
  const bool fewer = p.n < p.m, as_is = rows_form(p) != RowsForm::none, turned = rows_form(p.transposed()) != RowsForm::none;
  return fewer ? turned : !as_is;
}

}  // namespace

GemmProblem GemmProblem::transposed() const {
  const auto turned = [](const MatrixStrides& s) { return MatrixStrides{s.column, s.row, s.batch}; };
  GemmProblem p = *this;
  p.m = n, p.n = m;
  p.a = turned(b), p.b = turned(a), p.c = turned(c), p.d = turned(d);
  return p;
}

const char* gemm_type(uint32_t dtype) { return dtype == ONC_F64 ? "double" : "float"; }

int64_t tile_vector_width(uint32_t dtype, int64_t bytes) {
  return bytes / static_cast<int64_t>(kit::dtype_bytes(dtype)) >= 16 ? 16 : 8;
}

std::unique_ptr<Gemm> make_tile_gemm(Device& device, GemmProblem problem, const Tuning& tuning) {
  return std::make_unique<TileGemm>(device, problem, tuning);
}

bool rows_fits(const GemmProblem& problem) {
  return rows_form(problem) != RowsForm::none || rows_form(problem.transposed()) != RowsForm::none;
}

std::unique_ptr<Gemm> make_rows_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  const bool swapped = rows_swapped(problem);
  const GemmProblem p = swapped ? problem.transposed() : problem;
  const int64_t width = tile_vector_width(p.dtype, tuning.get("VB", 64)), rows = std::clamp<int64_t>(tuning.get("RM", 4), 1, 6);
  const bool along = rows_form(p) == RowsForm::along;
  Defines defines;
  defines.set("ROWS", 1).set("T", gemm_type(p.dtype)).set("VW", width).set("TM", rows);
  const Range items{static_cast<size_t>(ceil_div(p.n, along ? 4 : 4 * width)), static_cast<size_t>(ceil_div(p.m, rows)),
                    static_cast<size_t>(p.batch)};
  return std::make_unique<PlainGemm>(p, swapped, device.kernel("matmul.cl", along ? "along" : "across", defines), items,
                                     Range{1, 1, 1});
}

std::unique_ptr<Gemm> make_local_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  int64_t group = tuning.get("GROUP", 16), item = tuning.get("ITEM", 4);
  const int64_t steps = tuning.get("KB", 16);
  const auto item_bytes = static_cast<int64_t>(kit::dtype_bytes(problem.dtype));
  while (group > 1 && group * group > static_cast<int64_t>(device.max_work_group())) group /= 2;
  while (item > 1 && 2 * steps * group * item * item_bytes > static_cast<int64_t>(device.local_bytes())) item /= 2;
  Defines defines;
  defines.set("LOCAL", 1).set("T", gemm_type(problem.dtype)).set("GROUP", group).set("ITEM", item).set("KB", steps);
  const int64_t side = group * item;
  const auto items = [&](int64_t size) { return static_cast<size_t>(ceil_div(size, side) * group); };
  const auto edge = static_cast<size_t>(group);
  return std::make_unique<PlainGemm>(problem, false, device.kernel("matmul.cl", "local_tile", defines),
                                     Range{items(problem.n), items(problem.m), static_cast<size_t>(problem.batch)},
                                     Range{edge, edge, 1});
}

std::unique_ptr<Gemm> make_direct_gemm(Device& device, GemmProblem problem) {
  const bool swapped = problem.n < problem.m && (problem.d.column != 1 || problem.n < 8);
  if (swapped) problem = problem.transposed();
  Defines defines;
  defines.set("DIRECT", 1).set("T", gemm_type(problem.dtype));
  const size_t width = std::min<size_t>(32, device.max_work_group());
  const Range global{static_cast<size_t>(problem.n), static_cast<size_t>(problem.m), static_cast<size_t>(problem.batch)};
  return std::make_unique<PlainGemm>(problem, swapped, device.kernel("matmul.cl", "direct", defines), global, Range{width, 1, 1});
}

}  // namespace oncilla::ocl
