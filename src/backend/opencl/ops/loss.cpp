#include "ops/loss.hpp"

#include <algorithm>

#include "ops/rows.hpp"

namespace oncilla::ocl {
namespace {

constexpr uint32_t kAxis = 1;                 // the classes
constexpr int64_t kRowsPerItem = 4096;        // of NLL's serial variant, which touches one element a row
constexpr int64_t kMaxEntries = 4096;         // of partial sums
constexpr int64_t kSerialFinish = 64;         // so many entries one work-item adds up
constexpr uint64_t kFlopsPerExponential = 4;  // with what belongs to it

void set_common(Defines& defines, uint32_t dtype, const onc_loss_attrs& attrs, bool wide) {
  set_storage(defines, dtype);
  set_index(defines, wide);
  if (attrs.reduction == ONC_REDUCTION_NONE) defines.set("NONE", 1);
  if (attrs.reduction == ONC_REDUCTION_MEAN) defines.set("MEAN", 1);
  if (attrs.label_smoothing != 0) defines.set("SMOOTHING", 1);
}

void add_counts(Kernel::Arguments& arguments, const Rows& rows, bool with_inner, int64_t per_item, bool wide) {
  arguments.add(Index{rows.rows, wide}).add(Index{rows.length, wide});
  if (with_inner) arguments.add(Index{rows.inner, wide});
  arguments.add(Index{per_item, wide});
}

class LossPlan final : public onc_plan {
 public:
  LossPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0),
        cross_entropy_(desc.op == ONC_OP_CROSS_ENTROPY),
        wide_(wide_index(desc)),
        attrs_(desc.attributes<onc_loss_attrs>()) {
    const kit::Tensor& x = desc.input(0);
    support_floating(device, desc, x.dtype);
    std::vector<RowTensor> tensors{{x.strides}, without_axis(desc.input(1), kAxis)};
    tensors.push_back(attrs_.reduction == ONC_REDUCTION_NONE ? without_axis(desc.output(0), kAxis) : one_element(x.rank()));
    if (cross_entropy_) tensors.push_back(without_axis(desc.output(2), kAxis));
    rows_ = view_rows(x.dims, kAxis, tensors);
    set_common(defines_, x.dtype, attrs_, wide_);
    weight_stride_ = desc.has_in(2) ? desc.input(2).strides[0] : 0;
    item_bytes_ = static_cast<uint32_t>(kit::dtype_bytes(x.dtype));
    const auto touched = static_cast<uint64_t>(cross_entropy_ ? x.numel() : desc.input(1).numel());
    info.flops = touched * (cross_entropy_ ? kFlopsPerExponential : 2);
    info.bytes = touched * item_bytes_ + static_cast<uint64_t>(desc.input(1).numel()) * sizeof(int64_t);

    if (cross_entropy_) {
      choose_cross_entropy(device, x.dtype);
    } else {
      choose_nll(device, x.dtype);
    }
    entries_ = small(desc, std::max<int64_t>(1, ceil_div(rows_.rows, per_item_)));
    global_.x = static_cast<size_t>(entries_) * (info.variant == "group" ? local_.x : 1);
    dims_ = space_dims(desc, rows_.space);
    for (size_t t = 0; t < tensors.size(); ++t) strides_.push_back(space_strides(rows_.space, t));
    rows_.inner_strides.resize(tensors.size());

    const std::string file = std::string(desc.name()) + ".cl";
    rows_kernel_ = device.kernel(file, desc.name(), defines_);
    if (entries_ == 1) return;
    partial_bytes_ = arithmetic_bytes(x.dtype);
    info.workspace_bytes = static_cast<uint64_t>(entries_) * 2 * partial_bytes_;
    if (entries_ > kSerialFinish && info.variant != "group") {
      finish_local_.x = group_size(device);
      defines_ = Defines();
      set_common(defines_, x.dtype, attrs_, wide_);
      defines_.set("GROUP", static_cast<int64_t>(finish_local_.x));
    } else if (info.variant == "group") {
      finish_local_ = local_;
    }
    finish_kernel_ = device.kernel(file, "finish", defines_);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    const Mem partial = entries_ > 1 ? Mem{run.workspace, partial_bytes_} : no_mem();
    rows_kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < (cross_entropy_ ? 3U : 2U); ++i) arguments.add(arg_out(desc, run, i));
      arguments.add(partial);
      add_counts(arguments, rows_, cross_entropy_, per_item_, wide_);
      arguments.add(dims_);
      for (const SpaceStrides& strides : strides_) arguments.add(strides);
      arguments.add(rows_.axis_strides[0]);
      for (size_t t = 1; cross_entropy_ && t < strides_.size(); ++t) arguments.add(rows_.inner_strides[t]);
      arguments.add(weight_stride_).add(attrs_.ignore_index);
      if (cross_entropy_) add_real(arguments, desc.input(0).dtype, attrs_.label_smoothing);
    });
    if (entries_ > 1)
      finish_kernel_.launch(queue, finish_local_, finish_local_, partial, entries_, arg_out(desc, run, 0), arg_out(desc, run, 1));
  }

 private:
  void choose_cross_entropy(const Device& device, uint32_t dtype) {
    const std::string variant = choose_variant(device, desc, dtype, rows_.shape_class,
                                               {{"vector", rows_.contiguous, "contiguous classes"},
                                                {"column", rows_.columns, "rows that are neighbours in memory"},
                                                {"item"},
                                                {"group"}},
                                               info);
    if (variant == "vector" || variant == "column") {
      defines_.set(variant == "vector" ? "VECTOR" : "COLUMN", 1);
      if (variant == "column") to_columns(rows_);
      per_item_ = rows_per_item(device, rows_, kMaxEntries);
      return;
    }
    per_item_ = std::max<int64_t>(1, ceil_div(rows_.rows, kMaxEntries));
    set_local(device, variant);
  }

  void choose_nll(const Device& device, uint32_t dtype) {
    const std::string variant = choose_variant(device, desc, dtype, "", {{"item"}, {"group"}}, info);
    const int64_t most = variant == "group" ? kMaxEntries : 16 * static_cast<int64_t>(device.compute_units());
    const int64_t entries = std::clamp<int64_t>(ceil_div(rows_.rows, kRowsPerItem), 1, most);
    per_item_ = std::max<int64_t>(1, ceil_div(rows_.rows, entries));
    if (variant == "group") {
      set_local(device, variant);
    } else {
      defines_.set("ITEM", 1);
    }
  }

  void set_local(const Device& device, const std::string& variant) {
    local_.x = group_size(device, variant == "group" ? 256 : 64);
    if (variant == "group") {
      defines_.set("GROUP", static_cast<int64_t>(local_.x));
    } else {
      defines_.set("ITEM", 1);
    }
  }

  const bool cross_entropy_, wide_;
  const onc_loss_attrs attrs_;
  Defines defines_;
  Rows rows_;
  SpaceDims dims_{};
  std::vector<SpaceStrides> strides_;
  int64_t weight_stride_ = 0;
  uint32_t item_bytes_ = 0, partial_bytes_ = 0;
  int64_t per_item_ = 1;
  int32_t entries_ = 1;
  Range global_, local_, finish_local_;
  Kernel rows_kernel_, finish_kernel_;
};

class LossGradPlan final : public onc_plan {
 public:
  LossGradPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0),
        cross_entropy_(desc.op == ONC_OP_CROSS_ENTROPY_GRAD),
        wide_(wide_index(desc)),
        attrs_(desc.attributes<onc_loss_attrs>()) {
    const kit::Tensor& grad = desc.output(0);
    const size_t target = cross_entropy_ ? 2 : 1, weight = target + 1;
    support_floating(device, desc, grad.dtype);
    std::vector<RowTensor> tensors{attrs_.reduction == ONC_REDUCTION_NONE ? without_axis(desc.input(0), kAxis)
                                                                          : one_element(grad.rank())};
    if (cross_entropy_) tensors.push_back({desc.input(1).strides});
    tensors.push_back(without_axis(desc.input(target), kAxis));
    if (cross_entropy_) tensors.push_back(without_axis(desc.input(5), kAxis));
    tensors.push_back({grad.strides});
    rows_ = view_rows(grad.dims, kAxis, tensors);
    weight_stride_ = desc.has_in(weight) ? desc.input(weight).strides[0] : 0;
    info.flops = static_cast<uint64_t>(grad.numel()) * (cross_entropy_ ? kFlopsPerExponential : 1);
    info.bytes = static_cast<uint64_t>(grad.numel()) * kit::dtype_bytes(grad.dtype) * (cross_entropy_ ? 2 : 1);

    Defines defines;
    set_common(defines, grad.dtype, attrs_, wide_);
    const std::string variant = cross_entropy_
                                    ? choose_variant(device, desc, grad.dtype, rows_.shape_class,
                                                     {{"element"},
                                                      {"vector", rows_.contiguous, "contiguous classes"},
                                                      {"column", rows_.columns, "rows that are neighbours in memory"}},
                                                     info)
                                    : choose_variant(device, desc, grad.dtype, rows_.shape_class, {{"element"}, {"row"}}, info);
    if (variant == "element") {
      defines.set("ELEMENT", 1);
      per_item_ = rows_.contiguous ? 1 : 0;
      local_.x = group_size(device, 64);
      global_.x = static_cast<size_t>(grad.numel());
    } else {
      defines.set(variant == "vector" ? "VECTOR" : variant == "column" ? "COLUMN" : "ROW", 1);
      if (variant == "column") to_columns(rows_);
      per_item_ = rows_per_item(device, rows_, kMaxEntries);
      global_.x = static_cast<size_t>(ceil_div(rows_.rows, per_item_));
    }
    rows_.inner_strides.resize(tensors.size());
    dims_ = space_dims(desc, rows_.space);
    for (size_t t = 0; t < tensors.size(); ++t) strides_.push_back(space_strides(rows_.space, t));
    if (grad.numel() > 0) kernel_ = device.kernel(std::string(desc.name()) + ".cl", desc.name(), defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // an empty gradient
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < desc.in.size(); ++i) arguments.add(arg_in(desc, run, i));
      arguments.add(arg_out(desc, run, 0));
      add_counts(arguments, rows_, cross_entropy_, per_item_, wide_);
      arguments.add(dims_);
      for (const SpaceStrides& strides : strides_) arguments.add(strides);
      if (cross_entropy_) {
        arguments.add(rows_.axis_strides[1]).add(rows_.axis_strides[4]);
        for (size_t t : {0, 2, 3}) arguments.add(rows_.inner_strides[t]);
      } else {
        arguments.add(rows_.axis_strides[2]);
      }
      arguments.add(weight_stride_).add(attrs_.ignore_index);
      if (cross_entropy_) add_real(arguments, desc.output(0).dtype, attrs_.label_smoothing);
    });
  }

 private:
  const bool cross_entropy_, wide_;
  const onc_loss_attrs attrs_;
  Rows rows_;
  SpaceDims dims_{};
  std::vector<SpaceStrides> strides_;
  int64_t weight_stride_ = 0;
  int64_t per_item_ = 1;
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_loss_plan(Device& device, kit::OpDesc desc) {
  return std::make_unique<LossPlan>(device, std::move(desc));
}

std::unique_ptr<onc_plan> make_loss_grad_plan(Device& device, kit::OpDesc desc) {
  return std::make_unique<LossGradPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
