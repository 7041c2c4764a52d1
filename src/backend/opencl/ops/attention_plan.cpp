#include "ops/attention_plan.hpp"

#include <algorithm>
#include <cmath>

#include "gemm/gemm.hpp"
#include "ops/variants.hpp"
#include "runtime/storage.hpp"

namespace oncilla::ocl {

AttentionShape::AttentionShape(const Device& device, const kit::OpDesc& desc, size_t first) : mask_(first + 3) {
  const kit::Tensor &q = desc.input(first), &v = desc.input(first + 2);
  dtype_ = q.dtype;
  support_floating(device, desc, dtype_);
  batch = q.dims[0], heads = q.dims[1], length = q.dims[2], size = q.dims[3];
  groups = v.dims[1], keys = v.dims[2], value_size = v.dims[3];
  kit::support(batch <= kBatchLaunch && heads <= kBatchLaunch, "[", desc.name(), "] ", batch, " batches of ", heads,
               " heads: at most ", kBatchLaunch, " each are served");
  small(desc, 2 * std::max(size, value_size));
  wide = wide_index(desc);
  const auto attrs = desc.attributes<onc_attention_attrs>();
  causal_ = attrs.causal != 0, dropout_ = attrs.dropout != 0;
  const std::optional<kit::Tensor>& mask = desc.has_in(mask_) ? desc.in[mask_] : std::nullopt;
  mask_strides_ = strides_of(mask);
  mask_kind_ = !mask ? 0 : mask->dtype == ONC_BOOL ? 2 : 1;
  const Tuning row = tuned(device, desc, dtype_, shape_class());
  width = tile_vector_width(dtype_, row.get("VB"));
  rows = std::clamp<int64_t>(row.get("TM"), 1, kRowPanel);
  columns = 2 * width;
  most_tiles_ = row.get("TILES");
  group = static_cast<int64_t>(group_size(device, static_cast<size_t>(row.get("GROUP"))));
  sum_bytes = dtype_ == ONC_F64 ? 8 : 4;
  local_bytes_ = static_cast<int64_t>(device.local_bytes());
}

AttentionStrides AttentionShape::strides_of(const std::optional<kit::Tensor>& tensor) {
  AttentionStrides strides{};
  if (tensor) std::copy(tensor->strides.begin(), tensor->strides.end(), strides.begin());
  return strides;
}

int64_t AttentionShape::tiles_that_fit(const AttentionSpace& space) const {
  const int64_t left = local_bytes_ / sum_bytes - space.beside;
  return left < 0 ? 0 : std::min(most_tiles_, left / std::max<int64_t>(1, space.each_row * rows));
}

Defines AttentionShape::defines(const std::string& variant) const {
  Defines defines;
  set_storage(defines, dtype_);
  set_index(defines, wide);
  if (variant == "row") defines.set("ROW", 1);
  if (variant != "group") {
    defines.set("TILE", 1).set("VW", width).set("TM", rows).set("MASK", dtype_ == ONC_F64 ? "long" : "int");
  } else {
    defines.set("GROUP", group);
  }
  return defines;
}

void AttentionShape::add_scores(Kernel::Arguments& arguments, const kit::OpDesc& desc, const kit::RunArgs& run) const {
  const Mem mask = arg_in(desc, run, mask_);
  arguments.add(mask_kind_ == 1 ? mask : no_mem()).add(mask_kind_ == 2 ? mask : no_mem()).add(mask_strides_);
  const double drop = dropout_ ? run.scalars[1].f : 0;
  // An element is dropped if its word is below the share of 2^32. Where all are, there is no factor either.
  const auto threshold = static_cast<cl_uint>(std::clamp(std::ceil(drop * 0x1p32), 0.0, 0x1p32 - 1));
  const double keep = drop < 1 ? 1 / (1 - drop) : 0;
  arguments.add(static_cast<cl_int>(mask_kind_))
      .add(static_cast<cl_int>(causal_))
      .add(static_cast<cl_int>(dropout_))
      .add(threshold);
  arguments.add(static_cast<cl_long>(run.scalars[2].i)).add(static_cast<cl_long>(run.scalars[3].i));
  for (const double factor : {run.scalars[0].f, keep}) {
    if (dtype_ == ONC_F64) {
      arguments.add(factor);
    } else {
      arguments.add(static_cast<float>(factor));
    }
  }
}

void AttentionShape::add_sizes(Kernel::Arguments& arguments, int64_t tiles) const {
  arguments.add(Index{length, wide}).add(Index{keys, wide});
  for (const int64_t number : {size, value_size, heads, groups > 0 ? heads / groups : 1, tiles})
    arguments.add(static_cast<cl_int>(number));
}

}  // namespace oncilla::ocl
