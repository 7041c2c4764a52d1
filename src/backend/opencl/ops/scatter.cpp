// Scatter along an axis with any reduction, in a fixed order: kernels/scatter.cl.
#include <algorithm>

#include "ops/indexed.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kLeastBlock = 64;  // trailing elements of a work-item where the axis is short

class ScatterPlan final : public onc_plan {
 public:
  ScatterPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), attrs_(desc.attributes<onc_scatter_attrs>()), wide_(wide_index(desc)) {
    const kit::Tensor &y = desc.output(0), &index = desc.input(1), &src = desc.input(2);
    support_values(device, desc, y.dtype);
    item_bytes_ = static_cast<uint32_t>(kit::dtype_bytes(y.dtype));
    const bool half = item_bytes_ == 2 && kit::dtype_kind(y.dtype) == 'f';
    info.flops = static_cast<uint64_t>(src.numel());
    info.bytes = static_cast<uint64_t>((y.numel() + src.numel()) * item_bytes_ + src.numel() * 8);
    refill_.emplace(device, desc, desc.has_in(0) ? desc.in[0] : std::nullopt, y, wide_);

    space_ = view();
    length_ = y.dims[attrs_.axis];
    n_ = index.dims[attrs_.axis];
    const bool shared = trailing();
    const int64_t columns = space_.numel();
    const int64_t units = static_cast<int64_t>(device.compute_units());
    const std::string variant =
        choose_variant(device, desc, y.dtype, shared || columns < 4 * units ? "list" : "rows", {{"row"}, {"range"}}, info);
    if (variant == "range") {
      if (shared) inner_ = space_.pop().size;
      const int64_t wanted = units * (inner_ >= 16 ? 4 : 1);
      rows_ = space_.numel();
      ranges_ = std::clamp<int64_t>(ceil_div(wanted, std::max<int64_t>(rows_, 1)), 1, std::max<int64_t>(length_, 1));
      blocks_ = std::clamp<int64_t>(ceil_div(wanted, std::max<int64_t>(rows_ * ranges_, 1)), 1,
                                    std::max<int64_t>(inner_ / kLeastBlock, 1));
      local_.x = 1;
    } else {
      rows_ = columns;
      local_.x = group_size(device, 64);
    }
    global_.x = static_cast<size_t>(rows_ * ranges_ * blocks_);
    dims_ = space_dims(desc, space_);
    for (size_t t = 0; t < strides_.size(); ++t) strides_[t] = space_strides(space_, t);
    const bool totals = half && attrs_.reduce != ONC_SCATTER_ASSIGN;
    const auto total_bytes = static_cast<uint64_t>(totals ? rows_ * length_ * inner_ * 4 : 0);
    counts_at_ = (total_bytes + kit::kWorkspaceAlign - 1) / kit::kWorkspaceAlign * kit::kWorkspaceAlign;
    info.workspace_bytes =
        counts_at_ + static_cast<uint64_t>(attrs_.reduce == ONC_SCATTER_MEAN ? rows_ * blocks_ * length_ * 4 : 0);
    if (src.numel() == 0 || length_ == 0) return;
    Defines defines;
    set_values(defines, y.dtype);
    set_index(defines, wide_);
    if (half) defines.set("TOTALS", 1);
    kernel_ = device.kernel("scatter.cl", "scatter", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    refill_->run(queue, arg_in(desc, run, 0), arg_out(desc, run, 0));
    if (!kernel_) return;  // nothing to combine
    const bool workspace = info.workspace_bytes > 0;
    const Mem total = workspace ? Mem{run.workspace, 4} : no_mem();
    const Mem counts = workspace ? Mem{{run.workspace.buffer, run.workspace.offset + counts_at_}, 4} : no_mem();
    const kit::Dims &ys = desc.output(0).strides, &is = desc.input(1).strides, &ss = desc.input(2).strides;
    kernel_.launch(queue, global_, local_, arg_out(desc, run, 0), arg_in(desc, run, 1), arg_in(desc, run, 2), total, counts,
                   static_cast<int32_t>(attrs_.reduce), static_cast<int32_t>(attrs_.include_self), Index{rows_, wide_},
                   Index{length_, wide_}, Index{n_, wide_}, Index{inner_, wide_}, Index{ranges_, wide_}, Index{blocks_, wide_},
                   dims_, strides_[0], strides_[1], strides_[2], ys[attrs_.axis], is[attrs_.axis], ss[attrs_.axis]);
  }

 private:
  // The rows of the index: y, index and src over the index's sizes, without the axis.
  Space view() const {
    Space space{desc.input(1).dims, {desc.output(0).strides, desc.input(1).strides, desc.input(2).strides}};
    space.dims.erase(space.dims.begin() + attrs_.axis);
    for (kit::Dims& strides : space.strides) strides.erase(strides.begin() + attrs_.axis);
    space.merge();
    return space;
  }

  // Whether the innermost dim of the rows has neighbours in memory that share their index.
  bool trailing() const {
    return !space_.dims.empty() && space_.strides[0].back() == 1 && space_.strides[1].back() == 0 && space_.strides[2].back() == 1;
  }

  const onc_scatter_attrs attrs_;
  const bool wide_;
  uint32_t item_bytes_ = 0;
  std::optional<Refill> refill_;
  Space space_;
  int64_t length_ = 0, n_ = 0, rows_ = 0, inner_ = 1, ranges_ = 1, blocks_ = 1;
  uint64_t counts_at_ = 0;
  SpaceDims dims_{};
  std::array<SpaceStrides, 3> strides_{};
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_scatter(Device& device, kit::OpDesc desc) {
  return std::make_unique<ScatterPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
