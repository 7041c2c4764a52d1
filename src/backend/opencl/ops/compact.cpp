// Positions of the true elements: count, running total, write. kernels/compact.cl.
#include <algorithm>

#include "ops/indexed.hpp"
#include "ops/ops.hpp"

namespace oncilla::ocl {
namespace {

class CompactPlan final : public onc_plan {
 public:
  CompactPlan(Device& device, kit::OpDesc parsed) : onc_plan(std::move(parsed), 0), wide_(wide_index(desc)) {
    const kit::Tensor& mask = desc.input(0);
    n_ = mask.numel();
    info.flops = static_cast<uint64_t>(n_);
    info.bytes = static_cast<uint64_t>(n_) * 9;
    const bool group = choose_variant(device, desc, ONC_BOOL, "", {{"blocks"}, {"group"}}, info) == "group";
    chunk_ = std::max<int64_t>(group ? 64 : 256, ceil_div(n_, group ? 4096 : 16));
    chunks_ = std::max<int64_t>(1, ceil_div(n_, chunk_));
    item_bytes_ = wide_ ? 8 : 4;
    info.workspace_bytes = static_cast<uint64_t>(chunks_ + 1) * item_bytes_;
    local_.x = group ? group_size(device, 64) : 1;
    scan_.x = group ? group_size(device, 256) : 1;
    Defines defines;
    set_index(defines, wide_);
    count_ = device.kernel("compact.cl", "compact_count", defines);
    write_ = device.kernel("compact.cl", "compact_write", defines);
    defines.set("K", "uint").set("RADIX", 1).set("GROUP", 1).set("SCAN", static_cast<int64_t>(scan_.x));
    places_ = device.kernel("radix.cl", "radix_places", defines);
  }

  void run(onc_queue& queue, const kit::RunArgs& run) override {
    const Mem mask = arg_in(desc, run, 0), counts{run.workspace, item_bytes_};
    const Index n{n_, wide_}, chunk{chunk_, wide_}, chunks{chunks_, wide_};
    const int64_t ma = desc.input(0).strides[0], ia = desc.output(0).strides[0];
    // An empty mask may have no memory; a chunk of nothing reads none.
    count_.launch(queue, {static_cast<size_t>(chunks_ + 1)}, local_, mask, counts, n, chunk, chunks, ma);
    places_.launch(queue, {scan_.x}, scan_, counts, Index{chunks_ + 1, wide_});
    write_.launch(queue, {static_cast<size_t>(chunks_)}, local_, mask, counts, arg_out(desc, run, 0), arg_out(desc, run, 1), n,
                  chunk, chunks, ma, ia);
  }

 private:
  const bool wide_;
  int64_t n_ = 0, chunk_ = 1, chunks_ = 1;
  uint32_t item_bytes_ = 4;
  Range local_, scan_;
  Kernel count_, places_, write_;
};

}  // namespace

std::unique_ptr<onc_plan> make_compact(Device& device, kit::OpDesc desc) {
  return std::make_unique<CompactPlan>(device, std::move(desc));
}

}  // namespace oncilla::ocl
