// FOREACH_NORM: partial norms of units of all tensors in one launch, then one work-item a tensor for its units.
#include <algorithm>

#include "ops/list_plan.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

namespace {

constexpr int64_t kChunk = 4096;  // so few that a plain float sum of a unit keeps its digits

class ForeachNormPlan final : public ListPlan {
 public:
  ForeachNormPlan(Device& device, kit::OpDesc description) : ListPlan(device, std::move(description), 0, description.in.size(), 1) {
    const uint32_t dtype = desc.input(0).dtype;
    support_floating(device_, desc, dtype);
    const std::string variant = choose_variant(device_, desc, dtype, "", {{"vector"}, {"group"}}, info);
    const Tuning row = tuned(device_, desc, dtype, "");
    item_bytes_ = static_cast<uint32_t>(kit::dtype_bytes(desc.output(0).dtype));
    Defines defines;
    set_storage(defines, dtype);
    defines.set("KIND", desc.attributes<onc_foreach_norm_attrs>().kind).set("CHUNK", kChunk).set("ROW", 2);
    if (variant == "group") {
      group_ = static_cast<int64_t>(group_size(device_));
      defines.set("GROUP", group_);
    }
    std::vector<int64_t> lengths;
    int64_t units = 0;
    for (size_t t = 0; t < tensors_; ++t) {
      lengths.push_back(desc.input(t).numel());
      units += ceil_div(lengths.back(), kChunk);
      info.flops += 2 * static_cast<uint64_t>(lengths.back());
      info.bytes += static_cast<uint64_t>(lengths.back()) * kit::dtype_bytes(dtype);
    }
    info.bytes += tensors_ * item_bytes_;
    info.workspace_bytes = static_cast<uint64_t>(std::max<int64_t>(1, units)) * item_bytes_;
    const int64_t local = variant == "group" ? 1 : std::min<int64_t>(row.get("local"), group_limit());
    shape(std::move(lengths), kChunk, kListSegments, variant == "group" ? 0 : row.get("items"), local);
    define_segments(defines);
    part_ = device_.kernel("foreach_norm.cl", "foreach_norm", defines);
    finish_ = device_.kernel("foreach_norm.cl", "foreach_norm_finish", defines);
  }

 private:
  int64_t group_limit() const { return static_cast<int64_t>(device_.max_work_group()); }

  const kit::Tensor& tensor_of(size_t, size_t t) const override { return desc.input(t); }
  size_t shared_scalars() const override { return 0; }

  void enqueue(onc_queue& queue, const Segment& table, const ListLaunch& launch, const kit::RunArgs& run) override {
    const Mem part{run.workspace, item_bytes_};
    const auto before = static_cast<cl_long>(launch.units_before);
    if (launch.units > 0) {
      const size_t local = static_cast<size_t>(group_ > 0 ? group_ : local_);
      part_.launch_with(queue, {group_ > 0 ? launch.items * local : launch.items}, {local}, [&](Kernel::Arguments& arguments) {
        add_table(arguments, table, launch);
        arguments.add(part).add(before);
        add_spread(arguments, launch);
      });
    }
    const kit::Tensor& norms = desc.output(0);
    const auto stride = static_cast<cl_long>(norms.strides[0]);
    const size_t first = launch.first * static_cast<size_t>(stride);
    const Mem to{{run.args[tensors_].buffer, run.args[tensors_].offset + first * item_bytes_}, item_bytes_};
    const auto local = static_cast<size_t>(std::min<int64_t>(64, group_limit()));
    finish_.launch(queue, {static_cast<size_t>(launch.tensors)}, {local}, table, launch.table_at, part, to, before, stride,
                   launch.tensors);
  }

  uint32_t item_bytes_ = 4;
  int64_t group_ = 0;
  Kernel part_, finish_;
};

}  // namespace

std::unique_ptr<onc_plan> make_foreach_norm(Device& device, kit::OpDesc desc) {
  return std::make_unique<ForeachNormPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
