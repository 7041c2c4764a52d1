#include "ops/list_plan.hpp"

#include <algorithm>

namespace oncilla::ocl {

namespace {

constexpr size_t kMaxSlots = 8;
constexpr int64_t kPlaceShift = 16, kPlaceBroadcast = 1 << 15;

}  // namespace

ListPlan::ListPlan(Device& device, kit::OpDesc&& description, uint32_t n_scalars, size_t tensors, size_t lists)
    : onc_plan(std::move(description), n_scalars), device_(device), tensors_(tensors), lists_(lists) {}

void ListPlan::shape(std::vector<int64_t> length, int64_t chunk, uint32_t segments, int64_t items, int64_t local) {
  length_ = std::move(length);
  chunk_ = chunk;
  segments_ = segments;
  items_ = items;
  local_ = local;
}

void ListPlan::run(onc_queue& queue, const kit::RunArgs& run) {
  const std::lock_guard guard(mutex_);
  Slot& slot = slot_of(static_cast<Queue&>(queue));
  if (!slot.same(run, shared_scalars())) fill(slot, queue, run);
  for (const ListLaunch& launch : slot.launches) enqueue(queue, Segment{slot.table.get()}, launch, run);
}

bool ListPlan::Slot::same(const kit::RunArgs& run, size_t shared) const {
  const auto equal = [](const onc_arg& x, const onc_arg& y) { return x.buffer == y.buffer && x.offset == y.offset; };
  const auto bits = [](int64_t x, const onc_scalar& y) { return x == y.i; };
  return table != nullptr && std::equal(args.begin(), args.end(), run.args.begin(), run.args.end(), equal) &&
         std::equal(scalars.begin(), scalars.end(), run.scalars.begin() + static_cast<ptrdiff_t>(shared), run.scalars.end(), bits);
}

ListPlan::Slot& ListPlan::slot_of(const Queue& queue) {
  for (Slot& slot : slots_) {
    if (slot.queue == queue.id()) return slot;
  }
  if (slots_.size() == kMaxSlots) slots_.pop_front();  // OpenCL keeps the table until the launches that read it are done
  slots_.emplace_back().queue = queue.id();
  return slots_.back();
}

// Tensors in order, cut into launches wherever one more would need too many buffers.
void ListPlan::fill(Slot& slot, onc_queue& queue, const kit::RunArgs& run) const {
  std::vector<int64_t> table;
  slot.launches.clear();
  int64_t units_before = 0;
  for (size_t t = 0; t < tensors_;) {
    ListLaunch launch;
    launch.first = t;
    launch.units_before = units_before;
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
    write_table(launch, t, run, table);
    units_before += launch.units;
    slot.launches.push_back(std::move(launch));
  }
  const uint64_t bytes = std::max<uint64_t>(8, table.size() * sizeof(int64_t));
  if (slot.table == nullptr || slot.table->bytes() < bytes) slot.table = device_.alloc(bytes);
  if (!table.empty()) queue.copy_h2d({slot.table.get(), 0}, table.data(), table.size() * sizeof(int64_t), ONC_COPY_UNTIL_RETURN);
  slot.args.assign(run.args.begin(), run.args.end());
  slot.scalars.clear();
  for (size_t s = shared_scalars(); s < run.scalars.size(); ++s) slot.scalars.push_back(run.scalars[s].i);
}

void ListPlan::write_table(ListLaunch& launch, size_t last, const kit::RunArgs& run, std::vector<int64_t>& table) const {
  launch.table_at = table.size();
  launch.tensors = static_cast<cl_int>(last - launch.first);
  int64_t units = 0;
  for (size_t t = launch.first; t < last; ++t) {
    table.push_back(units);
    units += ceil_div(length_[t], chunk_);
  }
  table.push_back(units);
  kit::require(units < (int64_t{1} << 30), "[", desc.name(), "] ", units, " units of ", chunk_, " elements in one run");
  for (size_t t = launch.first; t < last; ++t) {
    table.push_back(length_[t]);
    for (size_t l = 0; l < lists_; ++l) table.push_back(length_[t] == 0 ? 0 : place(launch, l, t, run));
    own_words(run, t, table);
  }
  launch.units = static_cast<cl_int>(units);
  if (units == 0) return;
  const Spread spread = spread_units(units, items_ * device_.compute_units(), local_);
  launch.per_item = static_cast<cl_int>(spread.per_item);
  launch.item_step = static_cast<cl_int>(spread.item_step);
  launch.unit_step = static_cast<cl_int>(spread.unit_step);
  launch.items = static_cast<size_t>(spread.items);
}

int64_t ListPlan::place(const ListLaunch& launch, size_t list, size_t t, const kit::RunArgs& run) const {
  const onc_arg at = run.args[list * tensors_ + t];
  const kit::Tensor& tensor = tensor_of(list, t);
  kit::require(at.offset % kit::dtype_bytes(tensor.dtype) == 0, "[", desc.name(), "] offset ", at.offset, " of tensor ", t,
               " is no multiple of ", kit::dtype_name(tensor.dtype), "'s ", kit::dtype_bytes(tensor.dtype), " bytes");
  const auto segment = std::find(launch.segments.begin(), launch.segments.end(), at.buffer) - launch.segments.begin();
  const int64_t broadcast = tensor.numel() != length_[t] ? kPlaceBroadcast : 0;
  return static_cast<int64_t>(at.offset) << kPlaceShift | broadcast | segment;
}

void ListPlan::define_segments(Defines& defines) const {
  std::string params, names, choice;
  for (uint32_t s = 0; s < segments_; ++s) {
    params += kit::cat(s == 0 ? "" : ", ", "global uchar *segment", s);
    names += kit::cat(s == 0 ? "" : ", ", "segment", s);
    if (s + 1 < segments_) choice += kit::cat("which == ", s, " ? segment", s, " : ");
  }
  defines.set("LIST_SEGMENT_PARAMS", params)
      .set("LIST_SEGMENTS", names)
      .set("LIST_SEGMENT_CHOICE", kit::cat(choice, "segment", segments_ - 1));
}

void ListPlan::add_table(Kernel::Arguments& arguments, const Segment& table, const ListLaunch& launch) const {
  // Every segment parameter holds a buffer; those that no tensor names repeat the first, or the table.
  for (size_t s = 0; s < segments_; ++s) {
    if (launch.segments.empty()) {
      arguments.add(table);
    } else {
      arguments.add(Segment{launch.segments[s < launch.segments.size() ? s : 0]});
    }
  }
  arguments.add(table).add(launch.table_at);
}

void ListPlan::add_spread(Kernel::Arguments& arguments, const ListLaunch& launch) {
  arguments.add(launch.tensors).add(launch.units).add(launch.per_item).add(launch.item_step).add(launch.unit_step);
}

}  // namespace oncilla::ocl
