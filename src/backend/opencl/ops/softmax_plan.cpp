#include "ops/softmax_plan.hpp"

#include "ops/rows.hpp"

namespace oncilla::ocl {
namespace {

class SoftmaxPlan final : public onc_plan {
 public:
  SoftmaxPlan(Device& device, kit::OpDesc parsed, uint64_t flops_per_element)
      : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor& out = desc.output(0);
    const auto attrs = desc.attributes<onc_softmax_attrs>();
    support_floating(device, desc, out.dtype);
    std::vector<RowTensor> tensors;
    for (const auto& tensor : desc.in) tensors.push_back({tensor->strides});
    tensors.push_back({out.strides});
    rows_ = view_rows(out.dims, attrs.axis, tensors);
    item_bytes_ = static_cast<uint32_t>(kit::dtype_bytes(out.dtype));
    info.flops = static_cast<uint64_t>(out.numel()) * flops_per_element;
    info.bytes = static_cast<uint64_t>(out.numel()) * item_bytes_ * tensors.size();

    const std::string variant = choose_variant(device, desc, out.dtype, rows_.shape_class,
                                               {{"vector", rows_.contiguous, "a contiguous axis"},
                                                {"column", rows_.columns, "rows that are neighbours in memory"},
                                                {"item"},
                                                {"group"}},
                                               info);
    Defines defines;
    set_storage(defines, out.dtype);
    set_index(defines, wide_);
    if (attrs.log) defines.set("LOG", 1);
    if (variant == "column") to_columns(rows_);
    dims_ = space_dims(desc, rows_.space);
    for (size_t t = 0; t < tensors.size(); ++t) strides_.push_back(space_strides(rows_.space, t));
    if (variant == "vector") {
      defines.set("VECTOR", 1);
      per_item_ = rows_per_item(device, rows_, 1 << 20);
      global_.x = static_cast<size_t>(ceil_div(rows_.rows, per_item_));
    } else if (variant == "group") {
      local_.x = group_size(device);
      defines.set("GROUP", static_cast<int64_t>(local_.x));
      global_.x = static_cast<size_t>(rows_.rows) * local_.x;
    } else {
      defines.set(variant == "column" ? "COLUMN" : "ITEM", 1);
      global_.x = static_cast<size_t>(rows_.rows);
      local_.x = variant == "column" ? 1 : group_size(device, 64);
    }
    if (out.numel() > 0) kernel_ = device.kernel(std::string(desc.name()) + ".cl", desc.name(), defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty tensor
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (const onc_arg& at : run.args) arguments.add(Mem{at, item_bytes_});
      for (int64_t count : {rows_.rows, rows_.length, rows_.inner, per_item_}) arguments.add(Index{count, wide_});
      arguments.add(dims_);
      for (const SpaceStrides& strides : strides_) arguments.add(strides);
      for (int64_t stride : rows_.axis_strides) arguments.add(stride);
    });
  }

 private:
  const bool wide_;
  Rows rows_;
  SpaceDims dims_{};
  std::vector<SpaceStrides> strides_;
  uint32_t item_bytes_ = 0;
  int64_t per_item_ = 1;
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_softmax_plan(Device& device, kit::OpDesc desc, uint64_t flops_per_element) {
  return std::make_unique<SoftmaxPlan>(device, std::move(desc), flops_per_element);
}

}  // namespace oncilla::ocl
