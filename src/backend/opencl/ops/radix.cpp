#include "ops/radix.hpp"

#include <algorithm>

#include "ops/indexed.hpp"
#include "ops/rows.hpp"
#include "runtime/tuning.hpp"

namespace oncilla::ocl {
namespace {

constexpr int64_t kRankLength = 512;  // the longest row that "rank" takes; its work grows with the square
constexpr int64_t kShortRow = 64;     // below it a row is "short"
constexpr int64_t kSelect = 64;       // the most that "select" holds; of a row in the wrong order each element moves all of them
constexpr int64_t kBlock = 64;        // elements that "select" looks at together

// How a radix sort is cut: bits of a digit; parts of all rows together, and elements of a part at least; work-items in a group of
// count and move; those that add up a row's counts.
struct Shape {
  int64_t digit, chunks, least;
  size_t group, scan;
};
constexpr Shape kSerial{8, 8, 256, 1, 1};      // few long parts, each through a core's cache
constexpr Shape kGroup{4, 4096, 64, 32, 256};  // enough work-items for a GPU

// Bits of a dtype's keys.
int64_t key_bits(uint32_t dtype) {
  if (dtype == ONC_BOOL) return 1;
  if (kit::dtype_kind(dtype) == 'f') return dtype == ONC_F64 ? 64 : 32;  // halves have keys of float32
  return 8 * static_cast<int64_t>(kit::dtype_bytes(dtype));
}

class SortPlan final : public onc_plan {
 public:
  SortPlan(Device& device, kit::OpDesc parsed)
      : onc_plan(std::move(parsed), 0), attrs_(desc.attributes<onc_sort_attrs>()), wide_(wide_index(desc)) {
    const kit::Tensor& x = desc.input(0);
    const kit::Tensor& any = desc.has_out(0) ? desc.output(0) : desc.output(1);
    support_values(device, desc, x.dtype);
    std::vector<RowTensor> tensors = {{x.strides}};
    for (size_t o : {0, 1}) tensors.push_back({desc.has_out(o) ? desc.output(o).strides : x.strides});
    rows_ = view_rows(x.dims, attrs_.axis, tensors);
    k_ = any.dims[attrs_.axis];
    key_bits_ = key_bits(x.dtype);
    key_bytes_ = key_bits_ == 64 ? 8 : 4;
    index_bytes_ = wide_ ? 8 : 4;
    info.flops = static_cast<uint64_t>(x.numel());
    info.bytes = static_cast<uint64_t>(x.numel()) * kit::dtype_bytes(x.dtype);
    for (const auto& t : desc.out) info.bytes += t ? static_cast<uint64_t>(t->numel()) * kit::dtype_bytes(t->dtype) : 0;
    const bool selects = desc.op == ONC_OP_TOP_K && k_ <= kSelect;
    const char* shape_class = rows_.length < kShortRow ? "short" : selects ? "few" : "long";
    const std::string variant = choose_variant(device, desc, x.dtype, shape_class,
                                               {{"radix"},
                                                {"group"},
                                                {"rank", rows_.length <= kRankLength, "an axis of at most 512 elements"},
                                                {"select", selects, "at most the first 64 asked"}},
                                               info);
    rank_ = variant == "rank";
    if (x.numel() == 0 || any.numel() == 0) return;
    dims_ = space_dims(desc, rows_.space);
    for (size_t t = 0; t < 3; ++t) strides_[t] = space_strides(rows_.space, t);
    if (variant == "select") {
      Defines defines = key_defines();
      defines.set("SELECT", 1).set("COPY", bits_type(kit::dtype_bytes(x.dtype))).set("BLOCK", kBlock);
      select_ = device.kernel("sort.cl", "top_k_select", defines);
      return;
    }
    shape_ = variant == "group" ? kGroup : kSerial;
    const Tuning row = tuned(device, desc, x.dtype, shape_class);
    if (!row.variants.empty() && row.variants.front() == variant) {
      shape_.chunks = row.get("CHUNKS");
      shape_.least = row.get("CHUNK");
    }
    passes_ = ceil_div(key_bits_, shape_.digit);
    const int64_t wanted = std::max<int64_t>(1, shape_.chunks / rows_.rows);
    chunk_ = std::max(shape_.least, ceil_div(rows_.length, wanted));
    chunks_ = rank_ ? 1 : ceil_div(rows_.length, chunk_);
    lay_out_workspace(x.numel());
    build(device);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    if (select_) return select(queue, run);
    if (!keys_kernel_) return;  // nothing to sort, or nothing of it asked
    const auto part = [&](uint64_t at, uint32_t item) { return Mem{{run.workspace.buffer, run.workspace.offset + at}, item}; };
    Mem keys = part(0, key_bytes_), other_keys = part(keys_end_, key_bytes_);
    Mem order = part(order_at_, index_bytes_), other_order = part(order_at_ + order_bytes_, index_bytes_);
    const Mem counts = part(counts_at_, index_bytes_), x = arg_in(desc, run, 0);
    const Index rows{rows_.rows, wide_}, length{rows_.length, wide_}, chunk{chunk_, wide_}, chunks{chunks_, wide_};
    const Range elements{static_cast<size_t>(rows_.rows * rows_.length)}, items{static_cast<size_t>(rows_.rows * chunks_)};
    keys_kernel_.launch(queue, elements, wide_group_, x, keys, rows, length, dims_, strides_[0], rows_.axis_strides[0]);
    if (rank_) rank_kernel_.launch(queue, elements, wide_group_, keys, order, rows, length);
    for (int64_t pass = 0; pass < passes_ && !rank_; ++pass) {
      const auto shift = static_cast<int32_t>(pass * shape_.digit);
      count_.launch(queue, items, group_, keys, counts, shift, rows, length, chunk, chunks);
      places_.launch(queue, {static_cast<size_t>(rows_.rows) * scan_.x}, scan_, counts, chunks);
      move_.launch(queue, items, group_, keys, order, counts, other_keys, other_order, shift, static_cast<int32_t>(pass == 0), rows,
                   length, chunk, chunks);
      std::swap(keys, other_keys);
      std::swap(order, other_order);
    }
    finish_.launch(queue, {static_cast<size_t>(rows_.rows * k_)}, wide_group_, x, order, arg_out(desc, run, 0),
                   arg_out(desc, run, 1), static_cast<int32_t>(desc.has_out(0)), static_cast<int32_t>(desc.has_out(1)), rows,
                   length, Index{k_, wide_}, dims_, strides_[0], strides_[1], strides_[2], rows_.axis_strides[0],
                   rows_.axis_strides[1], rows_.axis_strides[2]);
  }

 private:
  void select(onc_queue& queue, const kit::RunArgs& run) {
    const auto k = static_cast<size_t>(k_);
    select_.launch(queue, {static_cast<size_t>(rows_.rows)}, {1}, arg_in(desc, run, 0), arg_out(desc, run, 0),
                   arg_out(desc, run, 1), static_cast<int32_t>(desc.has_out(0)), static_cast<int32_t>(desc.has_out(1)),
                   Index{rows_.length, wide_}, static_cast<int32_t>(k_), dims_, strides_[0], strides_[1], strides_[2],
                   rows_.axis_strides[0], rows_.axis_strides[1], rows_.axis_strides[2], Local{(k + kBlock) * key_bytes_},
                   Local{k * index_bytes_});
  }

  // Two sets of keys and of positions, from one of which each pass moves to the other, and the counts.
  void lay_out_workspace(int64_t numel) {
    const auto aligned = [](int64_t bytes) {
      return (static_cast<uint64_t>(bytes) + kit::kWorkspaceAlign - 1) / kit::kWorkspaceAlign * kit::kWorkspaceAlign;
    };
    const uint64_t sets = rank_ ? 1 : 2;
    keys_end_ = aligned(numel * key_bytes_);
    order_bytes_ = aligned(numel * index_bytes_);
    order_at_ = sets * keys_end_;
    counts_at_ = order_at_ + sets * order_bytes_;
    info.workspace_bytes = counts_at_ + (rank_ ? 0 : aligned(rows_.rows * chunks_ * (int64_t{1} << shape_.digit) * index_bytes_));
  }

  // What lib/key.h reads.
  Defines key_defines() const {
    const uint32_t dtype = desc.input(0).dtype;
    Defines keys;
    set_values(keys, dtype);
    set_index(keys, wide_);
    keys.set("K", key_bytes_ == 8 ? "ulong" : "uint");
    if (key_bytes_ == 8) keys.set("WIDE_KEY", 1);
    if (kit::dtype_kind(dtype) == 'f') keys.set("FLOATING", 1);
    keys.set("KEY_BIAS",
             kit::dtype_kind(dtype) == 'i' ? std::to_string(uint64_t{1} << (std::min<int64_t>(key_bits_, 32) - 1)) + "u" : "0u");
    if (attrs_.descending) keys.set("DESCENDING", 1);
    keys.set("KEY_MASK", key_bits_ >= 32 ? "~(K)0" : std::to_string((1u << key_bits_) - 1) + "u");
    return keys;
  }

  void build(Device& device) {
    const uint32_t dtype = desc.input(0).dtype;
    keys_kernel_ = device.kernel("sort.cl", "sort_keys", key_defines());
    Defines finish;
    finish.set("COPY", bits_type(kit::dtype_bytes(dtype)));
    set_index(finish, wide_);
    finish_ = device.kernel("sort.cl", "sort_finish", finish);

    wide_group_.x = group_size(device, 64);
    group_.x = group_size(device, shape_.group);
    scan_.x = group_size(device, shape_.scan);
    Defines radix;
    set_index(radix, wide_);
    radix.set("K", key_bytes_ == 8 ? "ulong" : "uint").set("DIGIT", shape_.digit).set("RADIX", int64_t{1} << shape_.digit);
    radix.set("GROUP", static_cast<int64_t>(group_.x)).set("SCAN", static_cast<int64_t>(scan_.x));
    if (rank_) {
      rank_kernel_ = device.kernel("radix.cl", "rank", radix);
      return;
    }
    count_ = device.kernel("radix.cl", "radix_count", radix);
    places_ = device.kernel("radix.cl", "radix_places", radix);
    move_ = device.kernel("radix.cl", "radix_move", radix);
  }

  const onc_sort_attrs attrs_;
  const bool wide_;
  bool rank_ = false;
  Shape shape_ = kSerial;
  Rows rows_;
  int64_t k_ = 0, key_bits_ = 32, passes_ = 1, chunk_ = 1, chunks_ = 1;
  uint32_t key_bytes_ = 4, index_bytes_ = 4;
  uint64_t keys_end_ = 0, order_at_ = 0, order_bytes_ = 0, counts_at_ = 0;
  SpaceDims dims_{};
  std::array<SpaceStrides, 3> strides_{};
  Range wide_group_, group_, scan_;
  Kernel keys_kernel_, rank_kernel_, count_, places_, move_, finish_, select_;
};

}  // namespace

std::unique_ptr<onc_plan> make_sort_plan(Device& device, kit::OpDesc desc) {
  return std::make_unique<SortPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
