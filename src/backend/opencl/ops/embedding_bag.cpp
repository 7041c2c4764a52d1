// Sums, means and maxima of listed rows of a table: kernels/embedding_bag.cl.
#include <algorithm>

#include "ops/indexed.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class BagPlan final : public onc_plan {
 public:
  BagPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), attrs_(desc.attributes<onc_embedding_bag_attrs>()), wide_(wide_index(desc)) {
    const kit::Tensor &weight = desc.input(0), &y = desc.output(0);
    support_floating(device, desc, weight.dtype);
    info.flops = static_cast<uint64_t>(desc.input(1).numel() * weight.dims[1]);
    info.bytes = (info.flops + static_cast<uint64_t>(y.numel())) * kit::dtype_bytes(y.dtype);
    part_ = choose_variant(device, desc, weight.dtype, "", {{"item"}, {"block"}}, info) == "block" ? 16 : 1;
    local_.x = part_ == 1 ? group_size(device, 64) : 1;
    parts_ = std::max<int64_t>(1, ceil_div(weight.dims[1], part_));  // one also of no columns: it counts
    if (y.dims[0] == 0) return;
    Defines defines;
    set_storage(defines, weight.dtype);
    set_index(defines, wide_);
    defines.set("PART", part_);
    kernel_ = device.kernel("embedding_bag.cl", "embedding_bag", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no bags
    const kit::Tensor &weight = desc.input(0), &y = desc.output(0);
    using Pair = std::array<int64_t, 2>;
    const auto pair = [](const kit::Tensor& t) { return Pair{t.strides[0], t.strides[1]}; };
    const std::array<int64_t, 4> steps = {desc.input(1).strides[0], desc.input(2).strides[0],
                                          desc.has_in(3) ? desc.input(3).strides[0] : 0,
                                          desc.has_out(1) ? desc.output(1).strides[0] : 0};
    kernel_.launch(queue, {static_cast<size_t>(y.dims[0] * parts_)}, local_, arg_in(desc, run, 0), arg_in(desc, run, 1),
                   arg_in(desc, run, 2), arg_in(desc, run, 3), arg_out(desc, run, 0), arg_out(desc, run, 1), arg_out(desc, run, 2),
                   static_cast<int32_t>(desc.has_in(3)), static_cast<int32_t>(desc.has_out(1)),
                   static_cast<int32_t>(desc.has_out(2)), static_cast<int32_t>(attrs_.mode), attrs_.padding_index,
                   Index{weight.dims[0], wide_}, Index{weight.dims[1], wide_}, Index{desc.input(1).dims[0], wide_},
                   Index{y.dims[0], wide_}, pair(weight), pair(y), desc.has_out(2) ? pair(desc.output(2)) : Pair{}, steps);
  }

 private:
  const onc_embedding_bag_attrs attrs_;
  const bool wide_;
  int64_t part_ = 1, parts_ = 0;
  Range local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_embedding_bag(Device& device, kit::OpDesc desc) {
  return std::make_unique<BagPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
