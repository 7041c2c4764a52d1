#include "ops/normalize.hpp"

#include <algorithm>

#include "ops/channels.hpp"
#include "ops/slices.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kColumnElements = 64;  // of a column of which a part is worth having
constexpr int64_t kColumnVectors = 8;    // ACROSS of normalize_grad.cl
constexpr int64_t kMostParts = 1024;
constexpr int64_t kSmall = 1 << 16;  // elements below which the rows of a column are not worth sharing

const kit::Tensor* maybe(const std::vector<std::optional<kit::Tensor>>& side, size_t i) {
  return i < side.size() && side[i] ? &*side[i] : nullptr;
}

// The dims that `chosen` names, from strides of a tensor that has only those.
kit::Dims scatter(const std::vector<bool>& chosen, const kit::Dims& strides) {
  kit::Dims all(chosen.size(), 0);
  auto next = strides.begin();
  for (size_t d = 0; d < chosen.size(); ++d) {
    if (chosen[d]) all[d] = *next++;
  }
  return all;
}

const char* slice_class(const Slices& view) { return view.elements() < 32 ? "short" : "long"; }

// Chooses the variant by the view's tensors of number `data`, and sets the program and launch that all kernels over slices share.
struct SliceLaunch {
  Range global, local;
  int64_t per_item = 1;
  int32_t columns = 1;

  SliceLaunch() = default;
  SliceLaunch(const Device& device, const kit::OpDesc& desc, const Slices& view, std::initializer_list<size_t> data,
              Defines& defines, kit::PlanInfo& info) {
    bool vector = true;
    for (size_t t : data) vector &= view.inner_is_one(t);
    const std::string variant = choose_variant(device, desc, desc.input(0).dtype, vector ? slice_class(view) : "strided",
                                               {{"vector", vector, "contiguous elements"}, {"item"}, {"group"}}, info);
    if (variant == "vector") {
      defines.set("VECTOR", 1);
      per_item = slices_per_item(device, view.slices(), view.elements());
      global.x = static_cast<size_t>(ceil_div(view.slices(), per_item));
    } else if (variant == "group") {
      local.x = group_size(device);
      columns = group_columns(view.inner(), local.x);
      defines.set("GROUP", static_cast<int64_t>(local.x));
      global.x = static_cast<size_t>(view.slices()) * local.x;
    } else {
      defines.set("ITEM", 1);
      local.x = group_size(device, 64);
      global.x = static_cast<size_t>(view.slices());
    }
  }
};

void add_counts(Kernel::Arguments& arguments, const Slices& view, const SliceLaunch& launch, bool wide) {
  for (int64_t count : {view.slices(), view.lines(), view.inner(), launch.per_item}) arguments.add(Index{count, wide});
  arguments.add(launch.columns);
}

class NormalizePlan final : public onc_plan {
 public:
  NormalizePlan(Device& device, kit::OpDesc parsed, Normalization (*of)(const kit::OpDesc&, const kit::Tensor&))
      : onc_plan(std::move(parsed), 1), wide_(wide_index(desc)) {
    const kit::Tensor &x = desc.input(0), &y = desc.output(0);
    support_floating(device, desc, x.dtype);
    const Normalization norm = of(desc, x);
    view_ = Slices(norm.dims, norm.of_slice,
                   {norm.data(x), norm.data(y), norm.weight(maybe(desc.in, 1)), norm.weight(maybe(desc.in, 2)),
                    norm.statistic(maybe(desc.out, 1)), norm.statistic(maybe(desc.out, 2))});
    info.flops = static_cast<uint64_t>(x.numel()) * 8;
    info.bytes = static_cast<uint64_t>(x.numel()) * 2 * kit::dtype_bytes(x.dtype);
    Defines defines;
    launch_ = SliceLaunch(device, desc, view_, {0, 1}, defines, info);
    set_storage(defines, x.dtype);
    set_index(defines, wide_);
    set_parameters(defines, desc, x.dtype, {1, 2}, {});
    if (norm.rms) defines.set("RMS", 1);
    slice_dims_ = view_.slice_dims(desc);
    line_dims_ = view_.line_dims(desc);
    if (x.numel() > 0) kernel_ = device.kernel("normalize.cl", "normalize_slices", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no slices
    kernel_.launch_with(queue, launch_.global, launch_.local, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_out(desc, run, i));
      add_counts(arguments, view_, launch_, wide_);
      arguments.add(slice_dims_).add(line_dims_);
      for (size_t t = 0; t < 4; ++t) view_.add_strides(arguments, t);
      arguments.add(view_.slice_strides(4)).add(view_.slice_strides(5));
      add_real(arguments, desc.input(0).dtype, run.scalars[0].f);
    });
  }

 private:
  const bool wide_;
  Slices view_;
  SpaceDims slice_dims_{}, line_dims_{};
  SliceLaunch launch_;
  Kernel kernel_;
};

// The gradients of weight and bias: sums over what shares a weight, in parts that a second kernel adds up. parts: so many another
// kernel has left in the workspace (0: none).
class ColumnSums {
 public:
  ColumnSums() = default;
  ColumnSums(Device& device, const kit::OpDesc& desc, const Normalization& norm, const std::string& variant, int64_t parts,
             Defines defines, bool wide)
      : wide_(wide), partial_(parts > 0) {
    view_ = Slices(norm.dims, norm.of_weight,
                   {norm.data(desc.input(0)), norm.data(desc.input(1)), norm.statistic(maybe(desc.in, 3)),
                    norm.statistic(maybe(desc.in, 4)), norm.weight(maybe(desc.out, 1)), norm.weight(maybe(desc.out, 2))});
    const bool column = view_.slices_are_one_dim() && view_.slices_are_one(0) && view_.slices_are_one(1) &&
                        view_.slices_are_constant(2) && view_.slices_are_constant(3);
    const bool vector = view_.inner_is_one(0) && view_.inner_is_one(1) && view_.inner_is_constant(2) && view_.inner_is_constant(3);
    int64_t blocks = view_.slices(), wanted = 0;  // work-items or work-groups
    const int64_t units = device.compute_units();
    if (variant == "vector" && column) {
      defines.set("COLUMN", 1);
      blocks = ceil_div(blocks, kLanes * kColumnVectors);
      wanted = 4 * units;
    } else if (variant == "vector" && vector) {
      defines.set("VECTOR", 1);
      wanted = 4 * units;
    } else if (variant == "group" && !column) {
      local_.x = group_size(device);
      defines.set("GROUP", static_cast<int64_t>(local_.x));
      wanted = 8 * units;
    } else {
      defines.set("ITEM", 1);
      local_.x = group_size(device, 64);
      wanted = 512 * units;
    }
    const int64_t most = std::clamp<int64_t>(view_.elements() / kColumnElements, 1, kMostParts);
    parts_ = partial_ ? parts : std::clamp<int64_t>(ceil_div(wanted, std::max<int64_t>(1, blocks)), 1, most);
    partial_ |= parts_ > 1;
    global_.x = static_cast<size_t>(blocks * parts_) * (variant == "group" && !column ? local_.x : 1);
    finish_local_.x = group_size(device, 64);
    slice_dims_ = view_.slice_dims(desc);
    line_dims_ = view_.line_dims(desc);
    partial_bytes_ = arithmetic_bytes(desc.input(1).dtype);
    if (parts == 0) sums_ = device.kernel("normalize_grad.cl", "column_sums", defines);
    if (partial_) finish_ = device.kernel("normalize_grad.cl", "column_finish", defines);
  }

  uint64_t workspace_bytes() const { return partial_ ? static_cast<uint64_t>(parts_ * view_.slices()) * 2 * partial_bytes_ : 0; }
  Mem partial(const kit::RunArgs& run) const { return partial_ ? Mem{run.workspace, partial_bytes_} : no_mem(); }

  void run(onc_queue& queue, const kit::OpDesc& desc, const kit::RunArgs& run) {
    const Mem partial = this->partial(run);
    if (sums_) {
      sums_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
        for (size_t i : {0, 1, 3, 4}) arguments.add(arg_in(desc, run, i));
        arguments.add(partial);
        for (int64_t count : {view_.slices(), view_.lines(), view_.inner(), parts_}) arguments.add(Index{count, wide_});
        arguments.add(slice_dims_).add(line_dims_);
        for (size_t t = 0; t < 4; ++t) view_.add_strides(arguments, t);
        arguments.add(arg_out(desc, run, 1)).add(arg_out(desc, run, 2)).add(view_.slice_strides(4)).add(view_.slice_strides(5));
      });
    }
    if (!partial_) return;
    finish_.launch(queue, Range{static_cast<size_t>(view_.slices())}, finish_local_, partial, arg_out(desc, run, 1),
                   arg_out(desc, run, 2), Index{view_.slices(), wide_}, Index{parts_, wide_}, slice_dims_, view_.slice_strides(4),
                   view_.slice_strides(5));
  }

 private:
  bool wide_ = false, partial_ = false;
  Slices view_;
  SpaceDims slice_dims_{}, line_dims_{};
  int64_t parts_ = 1;
  uint32_t partial_bytes_ = 0;
  Range global_, local_, finish_local_;
  Kernel sums_, finish_;
};

// All gradients in one pass, of rows of neighbours: normalize_grad_dense.
class DenseGrad {
 public:
  // The strides of `view` are those of NormalizeGradPlan; variant: of its slices.
  static bool fits(const Device& device, const kit::OpDesc& desc, const Slices& view, const std::string& variant) {
    const auto neighbours = [](const kit::Tensor* tensor) { return tensor == nullptr || tensor->contiguous(); };
    bool dense =
        variant == "vector" && desc.op == ONC_OP_LAYER_NORM_GRAD && desc.has_out(0) && (desc.has_out(1) || desc.has_out(2));
    dense = dense && view.slices_are_one_dim() && view.lines() == 1 && view.elements() > 0 && view.slices() > 0;
    for (size_t i : {2, 3, 4}) dense = dense && neighbours(maybe(desc.in, i));
    for (size_t i : {1, 2}) dense = dense && neighbours(maybe(desc.out, i));
    // Fewer rows would leave units idle; ColumnSums shares the columns.
    return dense && (view.slices() >= kRows * device.compute_units() || view.slices() * view.inner() < kSmall);
  }

  DenseGrad(Device& device, const kit::OpDesc& desc, const Slices& view, Defines defines, int64_t per_item, bool wide)
      : wide_(wide), rows_(view.slices()), columns_(view.inner()), pitch_(ceil_div(columns_, kLanes) * kLanes) {
    chunk_ = std::min(ceil_div(per_item, kRows) * kRows, kMostRows);
    parts_ = ceil_div(rows_, chunk_);
    items_ = rows_ * columns_ < kSmall ? 1 : parts_;
    partial_bytes_ = arithmetic_bytes(desc.input(1).dtype);
    for (size_t t : {0, 1, 3}) row_strides_.push_back(view.slice_strides(t).back());
    defines.set("DENSE", 1).set("VECTOR", 1);
    kernel_ = device.kernel("normalize_grad.cl", "normalize_grad_dense", defines);
    if (items_ > 1) finish_ = device.kernel("normalize_grad.cl", "dense_finish", defines);
  }

  uint64_t workspace_bytes() const { return static_cast<uint64_t>(parts_ * pitch_) * 2 * partial_bytes_; }

  void run(onc_queue& queue, const kit::OpDesc& desc, const kit::RunArgs& run) {
    const Mem partial{run.workspace, partial_bytes_};
    kernel_.launch_with(queue, {static_cast<size_t>(items_)}, {1}, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 5; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_out(desc, run, i));
      arguments.add(partial);
      for (int64_t count : {rows_, columns_, pitch_, chunk_, parts_, ceil_div(parts_, items_)}) arguments.add(Index{count, wide_});
      for (int64_t stride : row_strides_) arguments.add(stride);
    });
    if (items_ == 1) return;
    finish_.launch(queue, Range{static_cast<size_t>(pitch_ / kLanes)}, Range{1}, partial, arg_out(desc, run, 1),
                   arg_out(desc, run, 2), Index{columns_, wide_}, Index{pitch_, wide_}, Index{parts_, wide_});
  }

 private:
  static constexpr int64_t kRows = 4, kMostRows = 32;  // of normalize_grad.cl: side by side, and in a chunk

  bool wide_;
  int64_t rows_, columns_, pitch_, chunk_ = 1, parts_ = 1, items_ = 1;
  uint32_t partial_bytes_ = 0;
  std::vector<int64_t> row_strides_;
  Kernel kernel_, finish_;
};

class NormalizeGradPlan final : public onc_plan {
 public:
  NormalizeGradPlan(Device& device, kit::OpDesc parsed, Normalization (*of)(const kit::OpDesc&, const kit::Tensor&))
      : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor &g = desc.input(0), &x = desc.input(1);
    support_floating(device, desc, x.dtype);
    const Normalization norm = of(desc, x);
    // Without grad_in, x stands in for its strides.
    view_ = Slices(norm.dims, norm.of_slice,
                   {norm.data(g), norm.data(x), norm.weight(maybe(desc.in, 2)), norm.data(desc.has_out(0) ? desc.output(0) : x),
                    norm.statistic(maybe(desc.in, 3)), norm.statistic(maybe(desc.in, 4))});
    info.flops = static_cast<uint64_t>(x.numel()) * 16;
    info.bytes = static_cast<uint64_t>(x.numel()) * (desc.has_out(0) ? 3 : 2) * kit::dtype_bytes(x.dtype);
    Defines defines;
    set_storage(defines, x.dtype);
    set_index(defines, wide_);
    set_parameters(defines, desc, x.dtype, {2}, {1, 2});
    if (norm.rms) defines.set("RMS", 1);
    const Defines common = defines;
    defines.set("SLICES", 1);
    launch_ = SliceLaunch(device, desc, view_, {0, 1, 3}, defines, info);
    slice_dims_ = view_.slice_dims(desc);
    line_dims_ = view_.line_dims(desc);
    if (DenseGrad::fits(device, desc, view_, info.variant)) {
      dense_.emplace(device, desc, view_, common, launch_.per_item, wide_);
      info.workspace_bytes = dense_->workspace_bytes();
      return;
    }
    const bool sums = desc.has_out(1) || desc.has_out(2);
    // A line with a weight of its own has that weight's sums in it: they are by-products.
    const bool line_sums = sums && desc.has_out(0) && x.numel() > 0 && info.variant == "vector" && norm.channels_per_group > 0 &&
                           view_.lines() == norm.channels_per_group && view_.inner() == x.numel() / (x.dims[0] * x.dims[1]) &&
                           view_.inner_is_constant(2);
    if (line_sums) defines.set("LINE_SUMS", 1);
    if (desc.has_out(0) && x.numel() > 0) kernel_ = device.kernel("normalize_grad.cl", "normalize_grad", defines);
    if (sums) {
      sums_.emplace(device, desc, norm, info.variant, line_sums ? x.dims[0] : 0, common, wide_);
      info.workspace_bytes = sums_->workspace_bytes();
    }
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (dense_) return dense_->run(queue, desc, run);
    if (kernel_) {
      kernel_.launch_with(queue, launch_.global, launch_.local, [&](Kernel::Arguments& arguments) {
        for (size_t i = 0; i < 5; ++i) arguments.add(arg_in(desc, run, i));
        arguments.add(arg_out(desc, run, 0));
        add_counts(arguments, view_, launch_, wide_);
        arguments.add(slice_dims_).add(line_dims_);
        for (size_t t = 0; t < 4; ++t) view_.add_strides(arguments, t);
        arguments.add(view_.slice_strides(4)).add(view_.slice_strides(5)).add(sums_ ? sums_->partial(run) : no_mem());
      });
    }
    if (sums_) sums_->run(queue, desc, run);
  }

 private:
  const bool wide_;
  Slices view_;
  SpaceDims slice_dims_{}, line_dims_{};
  SliceLaunch launch_;
  Kernel kernel_;
  std::optional<ColumnSums> sums_;
  std::optional<DenseGrad> dense_;
};

}  // namespace

kit::Dims Normalization::data(const kit::Tensor& tensor) const {
  kit::Dims strides = tensor.strides;
  if (channels_per_group > 0) strides.insert(strides.begin() + 1, strides[1] * channels_per_group);
  return strides;
}

kit::Dims Normalization::weight(const kit::Tensor* tensor) const {
  if (tensor == nullptr) return kit::Dims(dims.size(), 0);
  kit::Dims strides = tensor->strides;
  if (channels_per_group > 0) strides.insert(strides.begin(), strides[0] * channels_per_group);
  return scatter(of_weight, strides);
}

kit::Dims Normalization::statistic(const kit::Tensor* tensor) const {
  return tensor == nullptr ? kit::Dims(dims.size(), 0) : scatter(of_slice, tensor->strides);
}

Normalization layer_normalization(const kit::OpDesc& desc, const kit::Tensor& x) {
  const auto attrs = desc.attributes<onc_layer_norm_attrs>();
  Normalization norm{x.dims, std::vector<bool>(x.rank(), true), std::vector<bool>(x.rank(), false), 0, attrs.rms != 0};
  for (size_t d = x.rank() - attrs.normalized_rank; d < x.rank(); ++d) {
    norm.of_slice[d] = false;
    norm.of_weight[d] = true;
  }
  return norm;
}

Normalization group_normalization(const kit::OpDesc& desc, const kit::Tensor& x) {
  const int64_t groups = desc.attributes<onc_group_norm_attrs>().groups;
  Normalization norm;
  norm.channels_per_group = x.dims[1] / groups;
  norm.dims = x.dims;
  norm.dims[1] = norm.channels_per_group;
  norm.dims.insert(norm.dims.begin() + 1, groups);
  norm.of_slice.assign(norm.dims.size(), false);
  norm.of_weight = norm.of_slice;
  norm.of_slice[0] = norm.of_slice[1] = true;
  norm.of_weight[1] = norm.of_weight[2] = true;
  return norm;
}

std::unique_ptr<onc_plan> make_normalize_plan(Device& device, kit::OpDesc desc,
                                              Normalization (*of)(const kit::OpDesc&, const kit::Tensor&)) {
  return std::make_unique<NormalizePlan>(device, std::move(desc), of);
}

std::unique_ptr<onc_plan> make_normalize_grad_plan(Device& device, kit::OpDesc desc,
                                                   Normalization (*of)(const kit::OpDesc&, const kit::Tensor&)) {
  return std::make_unique<NormalizeGradPlan>(device, std::move(desc), of);
}

}  // namespace oncilla::ocl
