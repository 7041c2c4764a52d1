#include "ops/launching.hpp"

#include <algorithm>

namespace oncilla::ocl {

namespace {

constexpr int64_t kMaxGroups = int64_t{1} << 15;  // some drivers compile a kernel anew for grids above 16 bits

}  // namespace

Spread spread_units(int64_t units, int64_t most, int64_t local) {
  const bool few = most > 0;
  Spread spread;
  spread.per_item = ceil_div(units, std::min(units, few ? most : kMaxGroups * local));
  spread.items = ceil_div(units, spread.per_item);
  if (!few) spread.items = ceil_div(spread.items, local) * local;
  spread.item_step = few ? spread.per_item : 1;
  spread.unit_step = few ? 1 : spread.items;
  return spread;
}

void support_tape(const Device& device, const kit::OpDesc& desc) {
  const bool fp64 = device.features().fp64;
  const auto served = [&](uint32_t dtype) {
    kit::support(dtype != ONC_F64 || fp64, "[", desc.name(), "] float64 on the device ", device.name(), ", which has none");
  };
  for (const auto& tensor : desc.in) served(tensor->dtype);
  for (const auto& tensor : desc.out) served(tensor->dtype);
  for (const onc_expr_inst& inst : desc.tape->insts) served(inst.dtype);
}

void add_scalars(Kernel::Arguments& arguments, const std::vector<ScalarArgument>& scalars, const kit::RunArgs& run) {
  for (const ScalarArgument& scalar : scalars) {
    const onc_scalar value = run.scalars[scalar.number];
    if (scalar.dtype == ONC_F32) {
      arguments.add(static_cast<cl_float>(value.f));
    } else if (scalar.dtype == ONC_F64) {
      arguments.add(static_cast<cl_double>(value.f));
    } else {
      arguments.add(static_cast<cl_long>(value.i));
    }
  }
}

}  // namespace oncilla::ocl
