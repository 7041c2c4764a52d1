// FOREACH: one launch over lists of tensors. A cl_mem cannot lie in memory, but a caching allocator keeps tensors in few large
// buffers: a launch takes up to eight of them as arguments, and a table says which tensor is where. The table is uploaded only when
// it changed.
#include <algorithm>
#include <bit>
#include <deque>
#include <mutex>

#include "expr/foreach_program.hpp"
#include "ops/ops.hpp"
#include "ops/variants.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {

namespace {

constexpr uint32_t kSegments = 8;
constexpr size_t kMaxSlots = 8;

int64_t up(int64_t n, int64_t by) { return (n + by - 1) / by; }

class ForeachPlan final : public onc_plan {
 public:
  ForeachPlan(Device& device, kit::OpDesc description, uint32_t scalars)
      : onc_plan(std::move(description), scalars), device_(device) {
    tensors_ = desc.foreach_tensors;
    in_lists_ = desc.in.size() / tensors_;
    lists_ = in_lists_ + desc.tape->outs.size();
    dtype_ = desc.output(0).dtype;
    decline();
    const std::string variant = choose_variant(device_, desc, dtype_, "", {{"vector"}, {"scalar"}}, info);
    const Tuning& tuned = tuning(device_, "foreach", dtype_, "");
    items_ = tuned.get("items", 0);
    local_ = std::min<int64_t>(tuned.get("local", 64), static_cast<int64_t>(device_.max_work_group()));
    const bool wide = std::any_of(desc.tape->insts.begin(), desc.tape->insts.end(),
                                  [](const onc_expr_inst& inst) { return inst.dtype == ONC_F64 || inst.dtype == ONC_I64; });
    const int64_t width = std::max<int64_t>(1, wide ? tuned.get("width", 4) / 2 : tuned.get("width", 4));
    ForeachShape shape;
    shape.width = variant == "scalar" ? 1 : static_cast<int>(width);
    shape.chunk = chunk_ = width * tuned.get("vectors", 16);
    // A tensor's own lists must fit into one launch.
    shape.segments = segments_ = std::max<uint32_t>(kSegments, static_cast<uint32_t>(lists_));
    program_ = foreach_program(desc, lengths(), shape);
    kernel_ = device_.kernel("foreach.cl", "foreach_tensors", {}, program_.prelude);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    const std::lock_guard guard(mutex_);
    Slot& slot = slot_of(static_cast<Queue&>(queue));
    if (!slot.same(run, desc.tape->n_scalars)) fill(slot, queue, run);
    for (const Launch& launch : slot.launches) enqueue(queue, slot, launch, run);
  }

 private:
  // One launch: its buffers, its tensors' part of the table, its spread over work-items.
  struct Launch {
    std::vector<onc_buffer*> segments;
    cl_ulong table_at = 0;
    cl_int tensors = 0, units = 0, per_item = 0, item_step = 0, unit_step = 0;
    size_t items = 0;
  };

  // The last run on one queue. Each queue has a table of its own, so that a new table never overwrites one that another queue still
  // reads.
  struct Slot {
    uint64_t queue = 0;
    std::vector<onc_arg> args;
    std::vector<int64_t> scalars;  // bits of the tensor scalars
    std::vector<Launch> launches;
    std::unique_ptr<onc_buffer> table;

    bool same(const kit::RunArgs& run, size_t shared) const {
      const auto equal = [](const onc_arg& x, const onc_arg& y) { return x.buffer == y.buffer && x.offset == y.offset; };
      const auto bits = [](int64_t x, const onc_scalar& y) { return x == y.i; };
      return table != nullptr && std::equal(args.begin(), args.end(), run.args.begin(), run.args.end(), equal) &&
             std::equal(scalars.begin(), scalars.end(), run.scalars.begin() + static_cast<ptrdiff_t>(shared), run.scalars.end(),
                        bits);
    }
  };

  void decline() const {
    const bool fp64 = device_.features().fp64;
    const auto served = [&](uint32_t dtype) {
      kit::support(dtype != ONC_F64 || fp64, "[foreach] float64 on the device ", device_.name(), ", which has none");
    };
    for (const auto& tensor : desc.in) served(tensor->dtype);
    for (const auto& tensor : desc.out) served(tensor->dtype);
    for (const onc_expr_inst& inst : desc.tape->insts) served(inst.dtype);
  }

  // Fills length_; tells of each input list whether a tensor of it broadcasts.
  std::vector<bool> lengths() {
    length_.resize(tensors_);
    uint64_t operations = 0;
    for (const onc_expr_inst& inst : desc.tape->insts) operations += kit::inst_arity(inst.op) > 0 ? 1 : 0;
    std::vector<bool> mixed(in_lists_, false);
    for (size_t t = 0; t < tensors_; ++t) {
      length_[t] = desc.output(t).numel();
      info.flops += operations * static_cast<uint64_t>(length_[t]);
      for (size_t l = 0; l < in_lists_; ++l) {
        const kit::Tensor& tensor = desc.input(l * tensors_ + t);
        if (tensor.numel() != length_[t]) mixed[l] = true;
        info.bytes += static_cast<uint64_t>(tensor.numel()) * kit::dtype_bytes(tensor.dtype);
      }
      for (size_t j = 0; j < lists_ - in_lists_; ++j) {
        info.bytes += static_cast<uint64_t>(length_[t]) * kit::dtype_bytes(desc.output(j * tensors_ + t).dtype);
      }
    }
    return mixed;
  }

  Slot& slot_of(const Queue& queue) {
    for (Slot& slot : slots_) {
      if (slot.queue == queue.id()) return slot;
    }
    if (slots_.size() == kMaxSlots) slots_.pop_front();  // OpenCL keeps the table until the launches that read it are done
    slots_.emplace_back().queue = queue.id();
    return slots_.back();
  }

  const kit::Tensor& tensor_of(size_t list, size_t t) const {
    return list < in_lists_ ? desc.input(list * tensors_ + t) : desc.output((list - in_lists_) * tensors_ + t);
  }

  // Tensors in order, cut into launches wherever one more would need too many buffers.
  void fill(Slot& slot, onc_queue& queue, const kit::RunArgs& run) {
    std::vector<int64_t> table;
    slot.launches.clear();
    for (size_t t = 0; t < tensors_;) {
      Launch launch;
      const size_t first = t;
      for (; t < tensors_; ++t) {
        if (length_[t] == 0) continue;
        std::vector<onc_buffer*> needed = launch.segments;
        for (size_t l = 0; l < lists_; ++l) {
          onc_buffer* buffer = run.args[l * tensors_ + t].buffer;
          if (std::find(needed.begin(), needed.end(), buffer) == needed.end()) needed.push_back(buffer);
        }
        if (needed.size() > segments_) break;
        launch.segments = std::move(needed);
      }
      write_table(launch, first, t, run, table);
      if (launch.units > 0) slot.launches.push_back(std::move(launch));
    }
    const uint64_t bytes = std::max<uint64_t>(8, table.size() * sizeof(int64_t));
    if (slot.table == nullptr || slot.table->bytes() < bytes) slot.table = device_.alloc(bytes);
    if (!table.empty()) queue.copy_h2d({slot.table.get(), 0}, table.data(), table.size() * sizeof(int64_t), ONC_COPY_UNTIL_RETURN);
    slot.args.assign(run.args.begin(), run.args.end());
    slot.scalars.clear();
    for (size_t s = desc.tape->n_scalars; s < run.scalars.size(); ++s) slot.scalars.push_back(run.scalars[s].i);
  }

  void write_table(Launch& launch, size_t first, size_t last, const kit::RunArgs& run, std::vector<int64_t>& table) const {
    launch.table_at = table.size();
    launch.tensors = static_cast<cl_int>(last - first);
    int64_t units = 0;
    for (size_t t = first; t < last; ++t) {
      table.push_back(units);
      units += up(length_[t], chunk_);
    }
    table.push_back(units);
    kit::require(units < (int64_t{1} << 30), "[foreach] ", units, " units of ", chunk_, " elements in one run");
    for (size_t t = first; t < last; ++t) {
      table.push_back(length_[t]);
      for (size_t l = 0; l < lists_; ++l) table.push_back(length_[t] == 0 ? 0 : place(launch, l, t, run));
      for (size_t s = 0; s < desc.tape->n_tensor_scalars; ++s) table.push_back(tensor_scalar(run, t, s));
    }
    launch.units = static_cast<cl_int>(units);
    if (units > 0) spread(launch, units);
  }

  int64_t place(const Launch& launch, size_t list, size_t t, const kit::RunArgs& run) const {
    const onc_arg at = run.args[list * tensors_ + t];
    const kit::Tensor& tensor = tensor_of(list, t);
    kit::require(at.offset % kit::dtype_bytes(tensor.dtype) == 0, "[foreach] offset ", at.offset, " of tensor ", t,
                 " is no multiple of ", kit::dtype_name(tensor.dtype), "'s ", kit::dtype_bytes(tensor.dtype), " bytes");
    const auto segment = std::find(launch.segments.begin(), launch.segments.end(), at.buffer) - launch.segments.begin();
    const int64_t broadcast = tensor.numel() != length_[t] ? kPlaceBroadcast : 0;
    return static_cast<int64_t>(at.offset) << kPlaceShift | broadcast | segment;
  }

  int64_t tensor_scalar(const kit::RunArgs& run, size_t t, size_t s) const {
    const onc_scalar value = run.scalars[desc.tape->n_scalars + t * desc.tape->n_tensor_scalars + s];
    switch (program_.tensor_scalars[s]) {
      case ONC_F32:
        return std::bit_cast<int32_t>(static_cast<float>(value.f));
      case ONC_F64:
        return std::bit_cast<int64_t>(value.f);
      default:
        return value.i;
    }
  }

  // As EXPR spreads its units (ops/expr.cpp): contiguous parts for few work-items, interleaved units for many.
  void spread(Launch& launch, int64_t units) const {
    const bool few = items_ > 0;
    const int64_t most = few ? items_ * device_.compute_units() : (int64_t{1} << 15) * local_;
    const int64_t per_item = up(units, std::min(units, most));
    const int64_t items = few ? up(units, per_item) : up(up(units, per_item), local_) * local_;
    launch.per_item = static_cast<cl_int>(per_item);
    launch.item_step = static_cast<cl_int>(few ? per_item : 1);
    launch.unit_step = static_cast<cl_int>(few ? 1 : items);
    launch.items = static_cast<size_t>(items);
  }

  void enqueue(onc_queue& queue, const Slot& slot, const Launch& launch, const kit::RunArgs& run) {
    kernel_.launch_with(queue, {launch.items}, {static_cast<size_t>(local_)}, [&](Kernel::Arguments& arguments) {
      // Every segment parameter holds a buffer; those that no tensor names repeat the first.
      for (size_t s = 0; s < segments_; ++s) arguments.add(Segment{launch.segments[s < launch.segments.size() ? s : 0]});
      arguments.add(Segment{slot.table.get()}).add(launch.table_at);
      for (const ScalarArgument& scalar : program_.scalars) {
        const onc_scalar value = run.scalars[scalar.number];
        if (scalar.dtype == ONC_F32) {
          arguments.add(static_cast<cl_float>(value.f));
        } else if (scalar.dtype == ONC_F64) {
          arguments.add(static_cast<cl_double>(value.f));
        } else {
          arguments.add(static_cast<cl_long>(value.i));
        }
      }
      arguments.add(launch.tensors).add(launch.units).add(launch.per_item).add(launch.item_step).add(launch.unit_step);
    });
  }

  Device& device_;
  size_t tensors_ = 0, in_lists_ = 0, lists_ = 0;
  uint32_t dtype_ = ONC_F32, segments_ = kSegments;
  int64_t items_ = 0, local_ = 1, chunk_ = 1;
  std::vector<int64_t> length_;
  ForeachProgram program_;
  Kernel kernel_;
  std::mutex mutex_;
  std::deque<Slot> slots_;
};

}  // namespace

std::unique_ptr<onc_plan> make_foreach(Device& device, kit::OpDesc desc) {
  const uint32_t scalars = kit::scalar_count(desc);
  return std::make_unique<ForeachPlan>(device, std::move(desc), scalars);
}

}  // namespace oncilla::ocl
