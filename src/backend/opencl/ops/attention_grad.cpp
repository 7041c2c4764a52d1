// ATTENTION_GRAD: delta, then a launch that owns rows of q and one that owns rows of k and v, as far as their gradients are wanted.
#include "ops/attention_plan.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"

namespace oncilla::ocl {
namespace {

// Places in the descriptor.
enum In : size_t { kGradOut, kQ, kK, kV, kMask, kY, kLse };

class AttentionGradPlan final : public onc_plan {
 public:
  AttentionGradPlan(Device& device, kit::OpDesc parsed, uint32_t scalars)
      : onc_plan(std::move(parsed), scalars), shape_(device, desc, kQ) {
    const AttentionShape& s = shape_;
    info.flops = static_cast<uint64_t>(2 * s.batch * s.heads * s.length * s.keys * (3 * s.size + 2 * s.value_size));
    for (const auto* side : {&desc.in, &desc.out}) {
      for (const auto& tensor : *side)
        info.bytes += tensor ? static_cast<uint64_t>(tensor->numel()) * kit::dtype_bytes(tensor->dtype) : 0;
    }
    const int64_t of_q = s.padded(s.size), of_v = s.padded(s.value_size);
    const int64_t columns = s.columns * (s.size + s.value_size), blocks = 2 * s.rows * s.columns;
    queries_.space = {2 * of_q + of_v, columns + s.columns * of_q + blocks};
    keys_.space = {2 * (of_q + of_v), columns + s.columns * (of_q + of_v) + blocks + 2 * s.columns};
    for (Launch* launch : {&queries_, &keys_}) launch->tiles = s.tiles_that_fit(launch->space);
    const int64_t group_space = s.size + s.value_size + 2 * s.group;
    kit::support(group_space * s.sum_bytes <= static_cast<int64_t>(device.local_bytes()), "[attention_grad] ", s.size, " and ",
                 s.value_size, " elements of a key and a value exceed the device's local memory");
    const std::string variant =
        choose_variant(device, desc, desc.input(kQ).dtype, s.shape_class(),
                       {{"tile", queries_.tiles > 0 && keys_.tiles > 0, "heads that fit into local memory"}, {"group"}}, info);
    info.workspace_bytes = static_cast<uint64_t>(s.batch * s.heads * s.length * s.sum_bytes);
    if (s.batch * s.heads == 0) return;
    if (s.length > 0) delta_ = device.kernel("attention_grad.cl", "delta", s.defines(variant).set("DELTA", 1));
    delta_group_ = static_cast<size_t>(std::min<int64_t>(64, static_cast<int64_t>(device.max_work_group())));
    const auto prepare = [&](Launch& launch, const char* owner, int64_t length, int64_t heads) {
      if (length == 0) return;
      const bool tiled = variant == "tile";
      if (tiled) launch.tiles = std::min(launch.tiles, s.ceil_rows(length, s.rows));
      if (!tiled) launch.space = {0, group_space};
      launch.space_bytes = s.space_bytes(launch.space, launch.tiles * s.rows);
      launch.kernel = device.kernel("attention_grad.cl", variant, s.defines(variant).set(owner, 1));
      launch.global = {static_cast<size_t>(tiled ? s.ceil_rows(length, launch.tiles * s.rows) : length * s.group),
                       static_cast<size_t>(heads), static_cast<size_t>(s.batch)};
      launch.local = {static_cast<size_t>(tiled ? 1 : s.group), 1, 1};
    };
    if (desc.has_out(0)) prepare(queries_, "OWN_QUERIES", s.length, s.heads);
    if (desc.has_out(1) || desc.has_out(2)) prepare(keys_, "OWN_KEYS", s.keys, s.groups);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    const Mem delta{run.workspace, static_cast<uint32_t>(shape_.sum_bytes)};
    if (delta_) {
      delta_.launch(queue,
                    {static_cast<size_t>(shape_.length), static_cast<size_t>(shape_.heads), static_cast<size_t>(shape_.batch)},
                    {delta_group_, 1, 1}, arg_in(desc, run, kGradOut), arg_in(desc, run, kY), delta,
                    AttentionShape::strides_of(desc.in[kGradOut]), AttentionShape::strides_of(desc.in[kY]),
                    Index{shape_.length, shape_.wide}, static_cast<cl_int>(shape_.value_size));
    }
    for (Launch* launch : {&queries_, &keys_}) {
      if (!launch->kernel) continue;
      launch->kernel.launch_with(queue, launch->global, launch->local, [&](Kernel::Arguments& arguments) {
        for (const size_t i : {kGradOut, kQ, kK, kV, kLse}) arguments.add(arg_in(desc, run, i));
        arguments.add(delta);
        for (size_t o = 0; o < 3; ++o) arguments.add(arg_out(desc, run, o));
        shape_.add_scores(arguments, desc, run);
        for (const size_t i : {kGradOut, kQ, kK, kV, kLse}) arguments.add(AttentionShape::strides_of(desc.in[i]));
        for (size_t o = 0; o < 3; ++o) arguments.add(AttentionShape::strides_of(desc.out[o]));
        shape_.add_sizes(arguments, launch->tiles);
        arguments.add(static_cast<cl_int>(desc.has_out(1)))
            .add(static_cast<cl_int>(desc.has_out(2)))
            .add(Local{launch->space_bytes});
      });
    }
  }

 private:
  struct Launch {
    Kernel kernel;
    Range global, local;
    AttentionSpace space;
    int64_t tiles = 1;
    size_t space_bytes = 0;
  };
  AttentionShape shape_;
  Kernel delta_;
  size_t delta_group_ = 1;
  Launch queries_, keys_;
};

}  // namespace

std::unique_ptr<onc_plan> make_attention_grad(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<AttentionGradPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
