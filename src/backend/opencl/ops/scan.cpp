// Running sums, products, minima, maxima and log-sum-exps along an axis: kernels/scan.cl.
#include <algorithm>

#include "ops/indexed.hpp"
#include "ops/ops.hpp"
#include "ops/rows.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kLeastLength = 64;  // below it a row is not cut into chunks
constexpr int64_t kLeastChunk = 32;

bool extreme(uint32_t kind) { return kind == ONC_SCAN_MIN || kind == ONC_SCAN_MAX; }

class ScanPlan final : public onc_plan {
 public:
  ScanPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), attrs_(desc.attributes<onc_scan_attrs>()), wide_(wide_index(desc)) {
    const kit::Tensor& x = desc.input(0);
    support_values(device, desc, x.dtype);
    info.flops = static_cast<uint64_t>(x.numel());
    info.bytes = static_cast<uint64_t>(x.numel()) * (2 * kit::dtype_bytes(x.dtype) + (desc.has_out(1) ? 8 : 0));
    std::vector<RowTensor> tensors = {{x.strides}, {desc.output(0).strides}};
    if (desc.has_out(1)) tensors.push_back({desc.output(1).strides});
    rows_ = view_rows(x.dims, attrs_.axis, tensors);
    const bool few = rows_.rows < 4 * static_cast<int64_t>(device.compute_units()) && rows_.length >= 4096;
    shape_class_ = few ? "few" : rows_.contiguous ? "rows" : "columns";
    const std::string variant =
        choose_variant(device, desc, x.dtype, shape_class_,
                       {{"row"},
                        {"column", rows_.columns, "rows that are neighbours in memory"},
                        {"tile", rows_.contiguous && sums_floats(), "floating sums or products along a contiguous axis"},
                        {"blocks", rows_.length >= kLeastLength, "an axis of 64 elements or more"}},
                       info);
    if (variant == "column") to_columns(rows_);
    form_ = variant == "column" ? Form::column : variant == "tile" ? Form::tile : Form::row;
    if (variant == "blocks") {
      const int64_t most = ceil_div(tuned(device, desc, x.dtype, shape_class_).get("CHUNKS"), std::max<int64_t>(1, rows_.rows));
      chunk_ = std::max(kLeastChunk, ceil_div(rows_.length, std::max<int64_t>(2, most)));
      chunks_ = ceil_div(rows_.length, chunk_);
      info.workspace_bytes = static_cast<uint64_t>(rows_.rows * chunks_) * state_bytes(x.dtype);
    } else {
      chunk_ = std::max<int64_t>(1, rows_.length);
    }
    dims_ = space_dims(desc, rows_.space);
    for (size_t t = 0; t < tensors.size(); ++t) {
      strides_[t] = space_strides(rows_.space, t);
      steps_[t] = rows_.axis_strides[t];
    }
    if (x.numel() > 0) build(device);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty tensor
    const Mem x = arg_in(desc, run, 0), y = arg_out(desc, run, 0), index = arg_out(desc, run, 1);
    const auto kind = static_cast<int32_t>(attrs_.kind), reverse = static_cast<int32_t>(attrs_.reverse),
               exclusive = static_cast<int32_t>(attrs_.exclusive), with_index = static_cast<int32_t>(desc.has_out(1));
    const Index rows{rows_.rows, wide_}, length{rows_.length, wide_}, chunk{chunk_, wide_}, chunks{chunks_, wide_};
    const Range items{static_cast<size_t>(rows_.rows * chunks_)};
    if (form_ == Form::tile) {
      kernel_.launch(queue, {static_cast<size_t>(ceil_div(rows_.rows, kLanes))}, {1}, x, y, kind, reverse, exclusive, rows, length,
                     dims_, strides_[0], strides_[1]);
      return;
    }
    if (form_ == Form::column) {
      kernel_.launch(queue, items, {1}, x, y, index, with_index, kind, reverse, exclusive, rows, length, Index{rows_.inner, wide_},
                     dims_, strides_[0], strides_[1], strides_[2], steps_[0], steps_[1], steps_[2]);
      return;
    }
    const Mem carry = chunks_ > 1 ? Mem{run.workspace, state_bytes(desc.input(0).dtype)} : no_mem();
    if (chunks_ > 1) {
      total_.launch(queue, items, local_, x, carry, kind, reverse, rows, length, chunk, chunks, dims_, strides_[0], steps_[0]);
      carry_.launch(queue, {static_cast<size_t>(rows_.rows)}, {1}, carry, kind, rows, chunks);
    }
    kernel_.launch(queue, items, local_, x, y, index, carry, with_index, kind, reverse, exclusive, rows, length, chunk, chunks,
                   dims_, strides_[0], strides_[1], strides_[2], steps_[0], steps_[1], steps_[2]);
  }

 private:
  enum class Form { row, column, tile };

  bool sums_floats() const { return attrs_.kind <= ONC_SCAN_PROD && kit::dtype_kind(desc.input(0).dtype) == 'f'; }

  // A float32 sum, also one of halves, keeps what rounding loses.
  bool compensated(uint32_t dtype) const { return sums_floats() && dtype != ONC_F64; }

  // Of State in kernels/lib/scan.h.
  uint32_t state_bytes(uint32_t dtype) const {
    if (extreme(attrs_.kind)) return 16;
    if (attrs_.kind == ONC_SCAN_LOGSUMEXP) return dtype == ONC_F64 ? 16 : 8;
    return compensated(dtype) || dtype == ONC_F64 || dtype == ONC_I64 ? 8 : 4;
  }

  void build(Device& device) {
    const uint32_t dtype = desc.input(0).dtype;
    Defines defines;
    set_values(defines, dtype);
    set_index(defines, wide_);
    if (extreme(attrs_.kind)) {
      defines.set("EXTREME", 1);
    } else {
      defines.set(attrs_.kind == ONC_SCAN_LOGSUMEXP ? "LOGSUM" : "ADD_UP", 1);
    }
    if (compensated(dtype)) defines.set("COMPENSATED", 1);
    const auto wanted = tuned(device, desc, dtype, shape_class_).get("LOCAL");
    local_.x = form_ == Form::column ? 1 : group_size(device, static_cast<size_t>(wanted));
    if (form_ == Form::tile) {
      kernel_ = device.kernel("scan_tile.cl", "scan_tile", defines);
      return;
    }
    kernel_ = device.kernel("scan.cl", form_ == Form::column ? "scan_column" : "scan", defines);
    if (chunks_ == 1) return;
    total_ = device.kernel("scan.cl", "scan_total", defines);
    carry_ = device.kernel("scan.cl", "scan_carry", defines);
  }

  const onc_scan_attrs attrs_;
  const bool wide_;
  Form form_ = Form::row;
  const char* shape_class_ = "";
  Rows rows_;
  int64_t chunk_ = 1, chunks_ = 1;
  SpaceDims dims_{};
  std::array<SpaceStrides, 3> strides_{};
  std::array<int64_t, 3> steps_{};
  Range local_;
  Kernel kernel_, total_, carry_;
};

}  // namespace

std::unique_ptr<onc_plan> make_scan(Device& device, kit::OpDesc desc) {
  return std::make_unique<ScanPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
