// The matrix product of kernels/matmul_tile.cl.
#include <algorithm>
#include <utility>

#include "gemm/base.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kPackChunk = 256;  // steps of the common dimension that one work-item packs
constexpr int64_t kLowRows = 8;      // of a register tile for few rows
constexpr int64_t kPanels = 8;       // panels of columns of a work-item, at most
constexpr int64_t kLeastRows = 6;    // row tiles that are worth packing all columns for

class TileGemm final : public OwnGemm {
 public:
  TileGemm(Device& device, GemmProblem problem, const Tuning& tuning) : OwnGemm(std::move(problem), false) {
    const int64_t width = tile_vector_width(problem_.dtype, tuning.get("VB"));
    int64_t tile_rows = std::clamp<int64_t>(tuning.get("TM"), 1, kRowPanel);
    const int64_t tile_columns = 2 * width;
    // Computing the transposed product pays if it wastes less of the tiles, or where it makes the stores contiguous.
    const auto cost = [&](const GemmProblem& p) {
      const int64_t tiles = ceil_div(p.m, tile_rows) * ceil_div(p.n, tile_columns);
      return p.d.column == 1 || p.n == 1 ? 4 * tiles : 5 * tiles;
    };
    const bool turns = problem_.column_run.length == 0 && !problem_.window && !problem_.packed;
    if (turns && cost(problem_.transposed()) < cost(problem_)) swapped_ = true, problem_ = problem_.transposed();
    // Lower tiles where they waste clearly fewer rows.
    const auto wasted = [&](int64_t rows) { return ceil_div(problem_.m, rows) * rows; };
    if (!problem_.packed && tile_rows > kLowRows && 16 * wasted(kLowRows) <= 15 * wasted(tile_rows)) tile_rows = kLowRows;
    sum_bytes_ = static_cast<int64_t>(kit::dtype_bytes(kit::accumulator_dtype(problem_.dtype)));
    row_tiles_ = ceil_div(problem_.m, tile_rows);
    column_tiles_ = ceil_div(problem_.n, tile_columns);
    a_batches_ = problem_.a.batch == 0 ? 1 : problem_.batch;
    panel_batch_ = a_batches_ == 1 ? 0 : row_tiles_ * problem_.k * kRowPanel;
    const int64_t fits = static_cast<int64_t>(device.local_bytes()) / (tile_columns * sum_bytes_) - 1;
    steps_ = std::max<int64_t>(1, std::min({tuning.get("KC"), fits, std::max<int64_t>(problem_.k, 1)}));
    local_bytes_ = static_cast<size_t>((steps_ * tile_columns + width) * sum_bytes_);
    // Many equal work-groups share out evenly; but each packs its columns anew, so a group keeps some row tiles, and some panels of
    // columns, which read the same rows from the cache.
    const int64_t units = static_cast<int64_t>(device.compute_units()), tiles = row_tiles_ * column_tiles_ * problem_.batch;
    const auto share = [](int64_t count, int64_t most) { return ceil_div(count, ceil_div(count, most)); };
    tiles_per_group_ = share(row_tiles_, std::clamp<int64_t>(tiles / (16 * units), 12, 32));
    panels_per_group_ = share(column_tiles_, std::clamp<int64_t>(tiles / tiles_per_group_ / (4 * units), 1, kPanels));
    // Few columns, and rows enough: all columns in every group.
    if (const int64_t rows = row_tiles_ * problem_.batch / (2 * units); column_tiles_ <= kPanels && rows >= kLeastRows) {
      tiles_per_group_ = share(row_tiles_, std::min<int64_t>(rows, 32));
      panels_per_group_ = column_tiles_;
    }
    // Rows that meet all their columns in one group are packed there.
    rows_bytes_ = static_cast<size_t>(tiles_per_group_ * steps_ * kRowPanel * sum_bytes_);
    local_rows_ = !problem_.packed && panels_per_group_ == column_tiles_ && rows_bytes_ + local_bytes_ <= device.local_bytes();
    Defines defines = gemm_defines(problem_.dtype, problem_.wide);
    defines.set("VW", width).set("TM", tile_rows);
    if (local_rows_) {
      defines.set("LOCAL_ROWS", 1);
    } else if (!problem_.packed) {
      pack_ = device.kernel("matmul_tile.cl", "pack_rows", defines);
    }
    epilogue_ = epilogue_text(problem_, width);
    // Sums live in d between two stores unless it rounds them or is to get something else.
    partial_ = epilogue_ || (problem_.dtype != ONC_F32 && problem_.dtype != ONC_F64);
    if (problem_.window) defines.set("WINDOW", 1);
    tile_ = device.kernel("matmul_tile.cl", "tile", defines, prelude(epilogue_));
  }

  uint64_t workspace_bytes() const override {
    return partial_at() + (keeps_sums() ? partial_batch() * uint64_t(problem_.batch) : 0);
  }

 private:
  // A dimension without runs is one.
  Index run_of(const GemmRuns& runs, int64_t size) const {
    return count_of(problem_, runs.length > 0 ? runs.length : std::max<int64_t>(size, 1));
  }
  bool keeps_sums() const { return partial_ && problem_.k > steps_; }
  uint64_t panel_bytes() const {
    if (local_rows_ || problem_.packed) return 0;
    return static_cast<uint64_t>(a_batches_ * row_tiles_ * problem_.k * kRowPanel * sum_bytes_);
  }
  uint64_t partial_at() const { return ceil_div(static_cast<int64_t>(panel_bytes()), 64) * 64; }
  uint64_t partial_batch() const { return static_cast<uint64_t>(problem_.m * problem_.n * sum_bytes_); }

  void launch(onc_queue& queue, const GemmOperands& o, int64_t count, int64_t first) override {
    const int64_t k = problem_.k;
    const Mem nothing{{o.d.at.buffer, 0}, 1};
    const auto in_workspace = [&](uint64_t offset) {
      return Mem{{o.workspace.buffer, o.workspace.offset + offset}, static_cast<uint32_t>(sum_bytes_)};
    };
    const Mem panels = local_rows_ || problem_.packed ? o.a
                       : k > 0                        ? in_workspace(static_cast<uint64_t>(first * panel_batch_ * sum_bytes_))
                                                      : nothing;
    const Index m = count_of(problem_, problem_.m), n = count_of(problem_, problem_.n);
    const Index step_run = run_of(problem_.step_run, k), column_run = run_of(problem_.column_run, problem_.n);
    if (pack_ && k > 0 && (first == 0 || a_batches_ > 1)) {
      const Range items{static_cast<size_t>(row_tiles_), static_cast<size_t>(ceil_div(k, kPackChunk)),
                        static_cast<size_t>(a_batches_ == 1 ? 1 : count)};
      pack_.launch(queue, items, {1, 1, 1}, o.a, panels, m, count_of(problem_, k), static_cast<cl_int>(kPackChunk), step_run,
                   problem_.a.row, problem_.a.column, problem_.step_run.left, problem_.a.batch);
    }
    const Range groups{static_cast<size_t>(ceil_div(column_tiles_, panels_per_group_)),
                       static_cast<size_t>(ceil_div(row_tiles_, tiles_per_group_)), static_cast<size_t>(count)};
    tile_.launch_with(queue, groups, {1, 1, 1}, [&](Kernel::Arguments& arguments) {
      arguments.add(panels).add(o.b).add(o.c).add(o.d).add(m).add(n).add(count_of(problem_, k));
      arguments.add(static_cast<cl_int>(steps_)).add(static_cast<cl_int>(tiles_per_group_));
      arguments.add(static_cast<cl_int>(panels_per_group_)).add(column_run);
      if (local_rows_) {
        arguments.add(step_run).add(problem_.a.row).add(problem_.a.column).add(problem_.step_run.left).add(problem_.a.batch);
      } else {
        arguments.add(panel_batch_);
      }
      if (problem_.window) {
        const GemmWindow& w = *problem_.window;
        arguments.add(w.places).add(static_cast<cl_int>(w.taps)).add(w.image).add(w.channel).add(w.out);
        arguments.add(static_cast<cl_int>(w.plane)).add(static_cast<cl_int>(w.width)).add(problem_.b.batch);
      } else {
        arguments.add(step_run);
        add_strides(arguments, problem_.b).add(problem_.step_run.right).add(problem_.column_run.left);
      }
      add_strides(arguments, problem_.c);
      add_strides(arguments, problem_.d).add(problem_.column_run.right);
      add_factors(arguments, problem_.dtype, o);
      if (local_rows_) arguments.add(Local{rows_bytes_});
      arguments.add(Local{local_bytes_});
      if (partial_) arguments.add(keeps_sums() ? in_workspace(partial_at() + uint64_t(first) * partial_batch()) : nothing);
      if (epilogue_) epilogue_->add(arguments, o.further, o.scalars);
    });
  }

  bool partial_ = false;
  int64_t sum_bytes_ = 4, row_tiles_ = 0, column_tiles_ = 0, a_batches_ = 1, panel_batch_ = 0, steps_ = 1, tiles_per_group_ = 1,
          panels_per_group_ = 1;
  size_t local_bytes_ = 0, rows_bytes_ = 0;
  bool local_rows_ = false;
  Kernel pack_, tile_;
};

}  // namespace

std::unique_ptr<Gemm> make_tile_gemm(Device& device, GemmProblem problem, const Tuning& tuning) {
  return std::make_unique<TileGemm>(device, problem, tuning);
}

}  // namespace oncilla::ocl
