// Variance and mean over the last dims: kernels/var_mean.cl.
#include <algorithm>

#include "ops/ops.hpp"
#include "ops/slices.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kPartElements = 4096;  // of which a part is worth having
constexpr int64_t kMostParts = 1024;

class VarMeanPlan final : public onc_plan {
 public:
  VarMeanPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 1), wide_(wide_index(desc)) {
    const kit::Tensor& x = desc.input(0);
    support_floating(device, desc, x.dtype);
    const uint32_t reduced = desc.attributes<onc_var_mean_attrs>().reduce_rank;
    std::vector<bool> of_slice(x.rank(), true);
    std::fill(of_slice.end() - reduced, of_slice.end(), false);
    const auto output_strides = [&](size_t i) {
      kit::Dims strides = desc.has_out(i) ? desc.output(i).strides : kit::Dims(x.rank() - reduced, 0);
      strides.resize(x.rank(), 0);
      return strides;
    };
    view_ = Slices(x.dims, of_slice, {x.strides, output_strides(0), output_strides(1)});
    slices_ = view_.slices();
    info.flops = static_cast<uint64_t>(x.numel()) * 6;
    info.bytes = static_cast<uint64_t>(x.numel()) * kit::dtype_bytes(x.dtype);

    const bool vector = view_.inner_is_one(0), column = view_.slices_are_one(0) && slices_ > 1;
    const std::string variant = choose_variant(device, desc, x.dtype,
                                               !vector                 ? "strided"
                                               : view_.elements() < 32 ? "short"
                                                                       : "long",
                                               {{"vector", vector, "contiguous elements"},
                                                {"column", column, "outputs whose elements are neighbours in memory"},
                                                {"item"},
                                                {"group"}},
                                               info);
    Defines defines;
    set_storage(defines, x.dtype);
    set_index(defines, wide_);
    Defines join = defines;
    launch(device, variant, defines);
    slice_dims_ = view_.slice_dims(desc);
    line_dims_ = view_.line_dims(desc);
    if (slices_ == 0) return;
    kernel_ = device.kernel("var_mean.cl", "var_mean", defines);
    if (parts() == 1) return;
    partial_bytes_ = arithmetic_bytes(x.dtype);
    info.workspace_bytes = static_cast<uint64_t>(slices_ * parts()) * 4 * partial_bytes_;
    join_ = device.kernel("var_mean.cl", "join_parts", join.set("ITEM", 1).set("JOIN", 1));
    join_local_.x = group_size(device, 64);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no outputs
    const uint32_t dtype = desc.input(0).dtype;
    const Mem partial = join_ ? Mem{run.workspace, partial_bytes_} : no_mem();
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      arguments.add(arg_in(desc, run, 0)).add(arg_out(desc, run, 0)).add(arg_out(desc, run, 1)).add(partial);
      for (int64_t count : {blocks_, view_.lines(), view_.inner(), per_item_}) arguments.add(Index{count, wide_});
      arguments.add(columns_);
      for (int64_t count : {view_.neighbours().size, line_parts_, inner_parts_}) arguments.add(Index{count, wide_});
      arguments.add(slice_dims_).add(line_dims_);
      view_.add_strides(arguments, 0);
      add_outputs(arguments, dtype, run.scalars[0].f);
    });
    if (!join_) return;
    join_.launch_with(queue, Range{static_cast<size_t>(slices_)}, join_local_, [&](Kernel::Arguments& arguments) {
      arguments.add(partial).add(arg_out(desc, run, 0)).add(arg_out(desc, run, 1));
      for (int64_t count : {slices_, parts(), view_.neighbours().size}) arguments.add(Index{count, wide_});
      arguments.add(slice_dims_);
      add_outputs(arguments, dtype, run.scalars[0].f);
    });
  }

 private:
  int64_t parts() const { return line_parts_ * inner_parts_; }

  void add_outputs(Kernel::Arguments& arguments, uint32_t dtype, double correction) const {
    arguments.add(view_.slice_strides(1)).add(view_.slice_strides(2));
    arguments.add(view_.neighbours().strides[1]).add(view_.neighbours().strides[2]);
    add_real(arguments, dtype, correction);
  }

  void launch(const Device& device, const std::string& variant, Defines& defines) {
    const int64_t units = device.compute_units();
    blocks_ = slices_;
    int64_t wanted = 4 * units;  // work-items or work-groups
    if (variant == "vector") {
      defines.set("VECTOR", 1);
    } else if (variant == "column") {
      defines.set("COLUMN", 1);
      view_.split_neighbours();
      blocks_ = view_.outer() * ceil_div(view_.neighbours().size, kLanes);
    } else if (variant == "group") {
      local_.x = group_size(device);
      columns_ = group_columns(view_.inner(), local_.x);
      defines.set("GROUP", static_cast<int64_t>(local_.x));
      wanted = 8 * units;
    } else {
      defines.set("ITEM", 1);
      local_.x = group_size(device, 64);
      wanted = 64 * units;
    }
    const int64_t most = std::clamp<int64_t>(view_.elements() / kPartElements, 1, kMostParts);
    const int64_t parts = std::clamp<int64_t>(ceil_div(wanted, std::max<int64_t>(1, blocks_)), 1, most);
    line_parts_ = std::clamp<int64_t>(view_.lines(), 1, parts);
    inner_parts_ = std::max<int64_t>(1, parts / line_parts_);
    if (variant == "vector" && this->parts() == 1) per_item_ = slices_per_item(device, blocks_, view_.elements());
    global_.x = static_cast<size_t>(ceil_div(blocks_ * this->parts(), per_item_)) * (variant == "group" ? local_.x : 1);
  }

  const bool wide_;
  Slices view_;
  SpaceDims slice_dims_{}, line_dims_{};
  int64_t slices_ = 0, blocks_ = 0, per_item_ = 1, line_parts_ = 1, inner_parts_ = 1;
  int32_t columns_ = 1;
  uint32_t partial_bytes_ = 0;
  Range global_, local_, join_local_;
  Kernel kernel_, join_;
};

}  // namespace

std::unique_ptr<onc_plan> make_var_mean(Device& device, kit::OpDesc desc) {
  return std::make_unique<VarMeanPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
