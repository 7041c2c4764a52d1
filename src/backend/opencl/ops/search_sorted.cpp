// Bisection of sorted rows: kernels/search_sorted.cl.
#include "ops/indexed.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class SearchPlan final : public onc_plan {
 public:
  SearchPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), attrs_(desc.attributes<onc_search_sorted_attrs>()), wide_(wide_index(desc)) {
    const kit::Tensor &sorted = desc.input(0), &values = desc.input(1);
    support_values(device, desc, sorted.dtype);
    info.flops = static_cast<uint64_t>(values.numel());
    info.bytes = static_cast<uint64_t>(values.numel()) * (8 + kit::dtype_bytes(values.dtype));
    choose_variant(device, desc, sorted.dtype, "", {{"item"}}, info);
    n_ = sorted.dims.back();
    m_ = values.dims.back();
    Space space{values.dims, {}};
    space.dims.pop_back();
    const kit::Tensor& sorter = desc.has_in(2) ? desc.input(2) : sorted;
    for (const kit::Tensor* t : {&sorted, &values, &sorter, &desc.output(0)}) {
      steps_.push_back(t->strides.back());
      space.strides.push_back(t->strides);
      space.strides.back().pop_back();
    }
    space.merge();
    rows_ = space.numel();
    dims_ = space_dims(desc, space);
    for (size_t t = 0; t < 4; ++t) strides_[t] = space_strides(space, t);
    local_.x = group_size(device, 64);
    if (values.numel() == 0) return;
    Defines defines;
    set_storage(defines, sorted.dtype);
    set_index(defines, wide_);
    kernel_ = device.kernel("search_sorted.cl", "search_sorted", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no values
    kernel_.launch(queue, {static_cast<size_t>(rows_ * m_)}, local_, arg_in(desc, run, 0), arg_in(desc, run, 1),
                   arg_in(desc, run, 2), arg_out(desc, run, 0), static_cast<int32_t>(desc.has_in(2)),
                   static_cast<int32_t>(attrs_.right), Index{rows_, wide_}, Index{n_, wide_}, Index{m_, wide_}, dims_, strides_[0],
                   strides_[1], strides_[2], strides_[3], steps_[0], steps_[1], steps_[2], steps_[3]);
  }

 private:
  const onc_search_sorted_attrs attrs_;
  const bool wide_;
  int64_t rows_ = 0, n_ = 0, m_ = 0;
  SpaceDims dims_{};
  std::array<SpaceStrides, 4> strides_{};
  std::vector<int64_t> steps_;
  Range local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_search_sorted(Device& device, kit::OpDesc desc) {
  return std::make_unique<SearchPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
