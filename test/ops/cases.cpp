// Layouts, names and the list of all tables.
#include "ops/cases.hpp"

#include <algorithm>
#include <numeric>
#include <set>
#include <stdexcept>

namespace oncilla::test {
namespace {

// Dims from slowest to fastest in memory.
std::vector<size_t> memory_order(size_t rank, Layout layout) {
  std::vector<size_t> order(rank);
  std::iota(order.begin(), order.end(), size_t{0});
  if (layout == Layout::reversed) std::reverse(order.begin(), order.end());
  if (layout == Layout::swapped && rank >= 2) std::swap(order[rank - 1], order[rank - 2]);
  if (layout == Layout::channels_last && rank >= 2) std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

}  // namespace

const char* layout_name(Layout layout) {
  switch (layout) {
    case Layout::padded:
      return "padded";
    case Layout::strided:
      return "strided";
    case Layout::reversed:
      return "reversed";
    case Layout::swapped:
      return "swapped";
    case Layout::channels_last:
      return "channels_last";
    default:
      return "contiguous";
  }
}

Dims layout_strides(const Dims& dims, Layout layout, uint32_t broadcast) {
  Dims strides(dims.size(), 0);
  int64_t stride = layout == Layout::strided ? 2 : 1;
  bool fastest = true;
  const std::vector<size_t> order = memory_order(dims.size(), layout);
  for (size_t k = order.size(); k-- > 0;) {
    const size_t d = order[k];
    if (broadcast >> d & 1) continue;
    strides[d] = stride;
    stride *= std::max<int64_t>(dims[d], 1);
    if (fastest && layout == Layout::padded) stride += 3;
    if (layout == Layout::strided) stride += 1;
    fastest = false;
  }
  return strides;
}

int64_t Tensor::numel() const {
  int64_t n = 1;
  for (int64_t dim : dims) n *= dim;
  return n;
}

bool Case::needs_fp64() const {
  for (const auto* side : {&in, &out}) {
    for (const Tensor& t : *side) {
      if (t.dtype == ONC_F64) return true;
    }
  }
  return std::any_of(insts.begin(), insts.end(), [](const onc_expr_inst& inst) { return inst.dtype == ONC_F64; });
}

void Case::set_tape(const Tape& tape) {
  insts = tape.insts();
  outs = tape.outs();
  n_shared_scalars = tape.n_scalars();
  n_tensor_scalars = tape.n_tensor_scalars();
}

std::string dims_name(const Dims& dims) {
  std::string name;
  for (int64_t dim : dims) name += (name.empty() ? "" : "x") + std::to_string(dim);
  return name.empty() ? "scalar" : name;
}

const char* op_name(uint32_t op) {
  switch (op) {
#define ONC_OP(number, NAME, name, ...) \
  case number:                          \
    return #name;
#include "oncilla/ops.def"
#undef ONC_OP
    default:
      return "?";
  }
}

Cases all_cases() {
  Cases cases;
#define ONC_OP(number, NAME, name, ...) cases_##name(cases);
#include "oncilla/ops.def"
#undef ONC_OP
  std::set<std::string> names;
  for (const Case& c : cases) {
    if (!names.insert(c.name).second) throw std::logic_error("two cases are named " + c.name);
  }
  return cases;
}

}  // namespace oncilla::test
