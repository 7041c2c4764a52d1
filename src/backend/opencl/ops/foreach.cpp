// FOREACH: one launch of a tape over lists of tensors (ops/list_plan.hpp).
#include <algorithm>
#include <bit>

#include "expr/foreach_program.hpp"
#include "ops/list_plan.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

namespace {

class ForeachPlan final : public ListPlan {
 public:
  ForeachPlan(Device& device, kit::OpDesc description, uint32_t scalars)
      : ListPlan(device, std::move(description), scalars, description.foreach_tensors,
                 (description.in.size() + description.out.size()) / description.foreach_tensors),
        in_lists_(desc.in.size() / tensors_) {
    support_tape(device_, desc);
    const uint32_t dtype = desc.output(0).dtype;
    const std::string variant = choose_variant(device_, desc, dtype, "", {{"vector"}, {"scalar"}}, info);
    const Tuning row = tuned(device_, desc, dtype, "");
    const bool wide = std::any_of(desc.tape->insts.begin(), desc.tape->insts.end(),
                                  [](const onc_expr_inst& inst) { return inst.dtype == ONC_F64 || inst.dtype == ONC_I64; });
    const int64_t width = std::max<int64_t>(1, wide ? row.get("width") / 2 : row.get("width"));
    ForeachShape shape_of;
    shape_of.width = variant == "scalar" ? 1 : static_cast<int>(width);
    shape_of.chunk = width * row.get("vectors");
    std::vector<int64_t> lengths;
    for (size_t t = 0; t < tensors_; ++t) lengths.push_back(desc.output(t).numel());
    // A tensor's own lists must fit into one launch.
    shape(std::move(lengths), shape_of.chunk, std::max<uint32_t>(kListSegments, static_cast<uint32_t>(lists_)), row.get("items"),
          std::min<int64_t>(row.get("local"), static_cast<int64_t>(device_.max_work_group())));
    program_ = foreach_program(desc, count(), shape_of);
    Defines defines;
    define_segments(defines);
    kernel_ = device_.kernel("foreach.cl", "foreach_tensors", defines, program_.prelude);
  }

 private:
  // Fills info; tells of each input list whether tensors of it broadcast.
  std::vector<ListKind> count() {
    uint64_t operations = 0;
    for (const onc_expr_inst& inst : desc.tape->insts) operations += kit::inst_arity(inst.op) > 0 ? 1 : 0;
    std::vector<bool> broadcasts(in_lists_, false), single(in_lists_, true);
    for (size_t t = 0; t < tensors_; ++t) {
      info.flops += operations * static_cast<uint64_t>(length_[t]);
      for (size_t l = 0; l < lists_; ++l) {
        const kit::Tensor& tensor = tensor_of(l, t);
        if (l < in_lists_) {
          broadcasts[l] = broadcasts[l] || tensor.numel() != length_[t];
          single[l] = single[l] && tensor.numel() == 1;
        }
        info.bytes += static_cast<uint64_t>(tensor.numel()) * kit::dtype_bytes(tensor.dtype);
      }
    }
    std::vector<ListKind> kinds(in_lists_, ListKind::full);
    for (size_t l = 0; l < in_lists_; ++l) {
      if (broadcasts[l]) kinds[l] = single[l] ? ListKind::one : ListKind::mixed;
    }
    return kinds;
  }

  const kit::Tensor& tensor_of(size_t list, size_t t) const override {
    return list < in_lists_ ? desc.input(list * tensors_ + t) : desc.output((list - in_lists_) * tensors_ + t);
  }

  size_t shared_scalars() const override { return desc.tape->n_scalars; }

  void own_words(const kit::RunArgs& run, size_t t, std::vector<int64_t>& table) const override {
    for (size_t s = 0; s < desc.tape->n_tensor_scalars; ++s) {
      const onc_scalar value = run.scalars[desc.tape->n_scalars + t * desc.tape->n_tensor_scalars + s];
      switch (program_.tensor_scalars[s]) {
        case ONC_F32:
          table.push_back(std::bit_cast<int32_t>(static_cast<float>(value.f)));
          break;
        case ONC_F64:
          table.push_back(std::bit_cast<int64_t>(value.f));
          break;
        default:
          table.push_back(value.i);
          break;
      }
    }
  }

  void enqueue(onc_queue& queue, const Segment& table, const ListLaunch& launch, const kit::RunArgs& run) override {
    if (launch.units == 0) return;
    kernel_.launch_with(queue, {launch.items}, {static_cast<size_t>(local_)}, [&](Kernel::Arguments& arguments) {
      add_table(arguments, table, launch);
      add_scalars(arguments, program_.scalars, run);
      add_spread(arguments, launch);
    });
  }

  const size_t in_lists_;
  ForeachProgram program_;
  Kernel kernel_;
};

}  // namespace

std::unique_ptr<onc_plan> make_foreach(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<ForeachPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
