// ATTENTION: one launch, variants tile, row and group.
#include "ops/attention_plan.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

class AttentionPlan final : public onc_plan {
 public:
  AttentionPlan(Device& device, kit::OpDesc parsed, uint32_t scalars)
      : onc_plan(std::move(parsed), scalars), shape_(device, desc, 0) {
    const AttentionShape& s = shape_;
    info.flops = static_cast<uint64_t>(2 * s.batch * s.heads * s.length * s.keys * (s.size + s.value_size));
    for (const auto* side : {&desc.in, &desc.out}) {
      for (const auto& tensor : *side)
        info.bytes += tensor ? static_cast<uint64_t>(tensor->numel()) * kit::dtype_bytes(tensor->dtype) : 0;
    }
    const int64_t of_q = s.padded(s.size), of_v = s.padded(s.value_size);
    const AttentionSpace tile{of_q + of_v + 2, s.columns * (s.size + of_v + s.rows)}, group{0, s.value_size + 3 * s.group + 3};
    tiles_ = s.tiles_that_fit(tile);
    const AttentionSpace row{0, of_q + of_v + s.columns + 2};
    const auto contiguous = [&](size_t i) { return desc.input(i).strides[3] == 1 || desc.input(i).dims[3] < 2; };
    const bool row_fits = contiguous(1) && contiguous(2) && s.space_bytes(row, 0) <= device.local_bytes();
    const bool group_fits = s.space_bytes(group, 0) <= device.local_bytes();
    kit::support(group_fits, "[attention] ", s.value_size, " elements of a value exceed the device's local memory");
    const std::string variant =
        choose_variant(device, desc, desc.output(0).dtype, s.shape_class(),
                       {{"tile", tiles_ > 0, "heads that fit into local memory"},
                        {"row", row_fits, "keys and values with contiguous elements, and heads that fit into local memory"},
                        {"group"}},
                       info);
    if (s.batch * s.heads * s.length == 0) return;
    const bool tiled = variant == "tile", grouped = variant == "group";
    if (tiled) tiles_ = std::min(tiles_, s.ceil_rows(s.length, s.rows));
    kernel_ = device.kernel("attention.cl", variant, s.defines(variant));
    space_bytes_ = tiled ? s.space_bytes(tile, tiles_ * s.rows) : s.space_bytes(grouped ? group : row, 0);
    const int64_t items = grouped ? s.group : 1;
    global_ = {static_cast<size_t>(tiled ? s.ceil_rows(s.length, tiles_ * s.rows) : s.length * items), static_cast<size_t>(s.heads),
               static_cast<size_t>(s.batch)};
    local_ = {static_cast<size_t>(items), 1, 1};
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (!kernel_) return;  // no row
    kernel_.launch_with(queue, global_, local_, [&](Kernel::Arguments& arguments) {
      for (size_t i = 0; i < 3; ++i) arguments.add(arg_in(desc, run, i));
      for (size_t o = 0; o < 2; ++o) arguments.add(arg_out(desc, run, o));
      shape_.add_scores(arguments, desc, run);
      for (size_t i = 0; i < 3; ++i) arguments.add(AttentionShape::strides_of(desc.in[i]));
      for (size_t o = 0; o < 2; ++o) arguments.add(AttentionShape::strides_of(desc.out[o]));
      shape_.add_sizes(arguments, tiles_);
      arguments.add(Local{space_bytes_});
    });
  }

 private:
  AttentionShape shape_;
  int64_t tiles_ = 1;
  size_t space_bytes_ = 0;
  Range global_, local_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_attention(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<AttentionPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
