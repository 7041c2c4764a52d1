// The matrix products of kernels/matmul.cl: rows, panel, split, local and direct.
#include <algorithm>
#include <utility>

#include "gemm/base.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {
namespace {

// The variants whose kernel takes the operands as they are: rows, panel, local and direct. global_.z counts the batch.
class PlainGemm final : public OwnGemm {
 public:
  PlainGemm(Device& device, GemmProblem problem, bool swapped, const char* entry, const Defines& defines, int64_t width,
            Range global, Range local)
      : OwnGemm(std::move(problem), swapped), global_(global), local_(local) {
    epilogue_ = epilogue_text(problem_, width);
    kernel_ = device.kernel("matmul.cl", entry, defines, prelude(epilogue_));
  }

 private:
  void launch(onc_queue& queue, const GemmOperands& o, int64_t count, int64_t) override {
    kernel_.launch_with(queue, {global_.x, global_.y, static_cast<size_t>(count)}, local_, [&](Kernel::Arguments& arguments) {
      arguments.add(o.a).add(o.b).add(o.c).add(o.d);
      for (int64_t size : {problem_.m, problem_.n, problem_.k}) arguments.add(count_of(problem_, size));
      for (const MatrixStrides& strides : {problem_.a, problem_.b, problem_.c, problem_.d}) add_strides(arguments, strides);
      add_factors(arguments, problem_.dtype, o);
      if (epilogue_) epilogue_->add(arguments, o.further, o.scalars);
    });
  }

  Kernel kernel_;
  Range global_, local_;
};

class SplitGemm final : public OwnGemm {
 public:
  SplitGemm(Device& device, GemmProblem problem, bool swapped, const Tuning& tuning) : OwnGemm(std::move(problem), swapped) {
    epilogue_ = epilogue_text(problem_, 1);
    const int64_t width = tile_vector_width(problem_.dtype, tuning.get("VB"));
    sum_bytes_ = static_cast<int64_t>(kit::dtype_bytes(kit::accumulator_dtype(problem_.dtype)));
    steps_ = std::max(std::max<int64_t>(tuning.get("KS"), 1), ceil_div(problem_.k, kSplitParts));
    parts_ = ceil_div(problem_.k, steps_);
    panels_ = ceil_div(problem_.m, kRowPanel) * ceil_div(problem_.n, width);
    Defines split = gemm_defines(problem_.dtype, problem_.wide), join = split;
    split_ = device.kernel("matmul.cl", "split", split.set("SPLIT", 1).set("VW", width).set("TM", kRowPanel));
    join_ = device.kernel("matmul.cl", "join", join.set("JOIN", 1), prelude(epilogue_));
    join_local_ = {std::min<size_t>(32, device.max_work_group()), 1, 1};
  }

  uint64_t workspace_bytes() const override { return part_bytes() * static_cast<uint64_t>(problem_.batch); }

 private:
  static constexpr int64_t kSplitParts = 256;  // of a sum, at most

  uint64_t part_bytes() const { return static_cast<uint64_t>(parts_ * problem_.m * problem_.n * sum_bytes_); }

  void launch(onc_queue& queue, const GemmOperands& o, int64_t count, int64_t first) override {
    const Index m = count_of(problem_, problem_.m), n = count_of(problem_, problem_.n);
    const auto batch = static_cast<size_t>(count);
    Mem partial{{o.d.at.buffer, 0}, 1};  // of a sum of nothing there are no parts
    if (parts_ > 0) {
      const uint64_t offset = o.workspace.offset + static_cast<uint64_t>(first) * part_bytes();
      partial = {{o.workspace.buffer, offset}, static_cast<uint32_t>(sum_bytes_)};
      split_.launch(queue, {static_cast<size_t>(parts_), static_cast<size_t>(panels_), batch}, {1, 1, 1}, o.a, o.b, partial, m, n,
                    count_of(problem_, problem_.k), static_cast<cl_int>(steps_), problem_.a.row, problem_.a.column,
                    problem_.a.batch, problem_.b.row, problem_.b.batch);
    }
    const Range items{static_cast<size_t>(problem_.n), static_cast<size_t>(std::min(problem_.m, kBatchLaunch)), batch};
    join_.launch_with(queue, items, join_local_, [&](Kernel::Arguments& arguments) {
      arguments.add(partial).add(o.c).add(o.d).add(m).add(n).add(count_of(problem_, parts_));
      add_strides(arguments, problem_.c);
      add_strides(arguments, problem_.d);
      add_factors(arguments, problem_.dtype, o);
      if (epilogue_) epilogue_->add(arguments, o.further, o.scalars);
    });
  }

  int64_t sum_bytes_ = 4, steps_ = 1, parts_ = 0, panels_ = 1;
  Kernel split_, join_;
  Range join_local_;
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
  std::swap(p.step_run.left, p.step_run.right);
  for (EpilogueTensor& tensor : p.further) std::swap(tensor.row, tensor.column);
  return p;
}

const char* gemm_type(uint32_t dtype) {
  if (kit::dtype_kind(dtype) == 'f') return arithmetic_type(dtype);
  return dtype == ONC_I64 ? "ulong" : "uint";
}

Defines gemm_defines(uint32_t dtype, bool wide) {
  Defines defines;
  set_storage(defines, dtype);
  set_index(defines, wide);
  defines.set("T", gemm_type(dtype));
  if (kit::dtype_kind(dtype) == 'f') return defines;
  if (dtype == ONC_I32 || dtype == ONC_I64) defines.set("STORAGE", compute_type(dtype));
  return defines.set("INTEGER", 1);
}

int64_t tile_vector_width(uint32_t dtype, int64_t bytes) {
  return bytes / static_cast<int64_t>(kit::dtype_bytes(kit::accumulator_dtype(dtype))) >= 16 ? 16 : 8;
}

bool rows_fits(const GemmProblem& problem) {
  return rows_form(problem) != RowsForm::none || rows_form(problem.transposed()) != RowsForm::none;
}

bool rows_few(const GemmProblem& problem) {
  constexpr int64_t kFew = 32, kBlock = 64;
  const GemmProblem p = rows_swapped(problem) ? problem.transposed() : problem;
  if (rows_form(p) == RowsForm::along) return std::max(p.m, p.n) <= kBlock && p.k >= 2 * p.m * p.n;
  return p.m <= kFew && p.n >= kBlock && rows_form(p) == RowsForm::across;
}

std::unique_ptr<Gemm> make_rows_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  const bool swapped = rows_swapped(problem);
  const GemmProblem p = swapped ? problem.transposed() : problem;
  const int64_t width = tile_vector_width(p.dtype, tuning.get("VB")), rows = std::clamp<int64_t>(tuning.get("RM"), 1, 6);
  const bool along = rows_form(p) == RowsForm::along;
  const Defines defines = gemm_defines(p.dtype, p.wide).set("ROWS", 1).set("VW", width).set("TM", rows);
  const Range items{static_cast<size_t>(ceil_div(p.n, along ? 4 : 4 * width)), static_cast<size_t>(ceil_div(p.m, rows)), 1};
  return std::make_unique<PlainGemm>(device, p, swapped, along ? "along" : "across", defines, width, items, Range{1, 1, 1});
}

bool split_fits(const GemmProblem& problem) { return problem.b.column == 1 || problem.a.row == 1; }

std::unique_ptr<Gemm> make_split_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  const bool swapped = problem.b.column != 1;
  return std::make_unique<SplitGemm>(device, swapped ? problem.transposed() : problem, swapped, tuning);
}

std::unique_ptr<Gemm> make_panel_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  const bool swapped = problem.b.column != 1;
  const GemmProblem p = swapped ? problem.transposed() : problem;
  const int64_t width = tile_vector_width(p.dtype, tuning.get("VB")), rows = std::clamp<int64_t>(tuning.get("PM"), 1, kRowPanel);
  const Defines defines = gemm_defines(p.dtype, p.wide).set("PANEL", 1).set("VW", width).set("TM", rows);
  const int64_t columns = ceil_div(p.n, 2 * width), tiles = ceil_div(p.m, rows);
  // Starting a work-item costs as much as a tile: no more of them than keep the device busy.
  const int64_t enough = ceil_div(int64_t{8} * device.compute_units(), std::max<int64_t>(1, columns * p.batch));
  const Range items{static_cast<size_t>(columns), static_cast<size_t>(std::min(tiles, enough)), 1};
  return std::make_unique<PlainGemm>(device, p, swapped, "panel", defines, width, items, Range{1, 1, 1});
}

std::unique_ptr<Gemm> make_local_gemm(Device& device, const GemmProblem& problem, const Tuning& tuning) {
  int64_t group = tuning.get("GROUP"), item = tuning.get("ITEM");
  const int64_t steps = tuning.get("KB");
  const auto item_bytes = static_cast<int64_t>(kit::dtype_bytes(kit::accumulator_dtype(problem.dtype)));
  while (group > 1 && group * group > static_cast<int64_t>(device.max_work_group())) group /= 2;
  while (item > 1 && 2 * steps * group * item * item_bytes > static_cast<int64_t>(device.local_bytes())) item /= 2;
  const Defines defines =
      gemm_defines(problem.dtype, problem.wide).set("LOCAL", 1).set("GROUP", group).set("ITEM", item).set("KB", steps);
  const int64_t side = group * item;
  const auto items = [&](int64_t size) { return static_cast<size_t>(ceil_div(size, side) * group); };
  const auto edge = static_cast<size_t>(group);
  return std::make_unique<PlainGemm>(device, problem, false, "local_tile", defines, 1, Range{items(problem.n), items(problem.m), 1},
                                     Range{edge, edge, 1});
}

std::unique_ptr<Gemm> make_direct_gemm(Device& device, GemmProblem problem) {
  const bool swapped = problem.n < problem.m && (problem.d.column != 1 || problem.n < 8);
  if (swapped) problem = problem.transposed();
  const Defines defines = gemm_defines(problem.dtype, problem.wide).set("DIRECT", 1);
  const size_t width = std::min<size_t>(32, device.max_work_group());
  const Range global{static_cast<size_t>(problem.n), static_cast<size_t>(std::min(problem.m, kBatchLaunch)), 1};
  return std::make_unique<PlainGemm>(device, problem, swapped, "direct", defines, 1, global, Range{width, 1, 1});
}

}  // namespace oncilla::ocl
