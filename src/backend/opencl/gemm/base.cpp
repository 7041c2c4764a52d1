#include "gemm/base.hpp"

#include <algorithm>
#include <utility>

#include "runtime/storage.hpp"

namespace oncilla::ocl {
namespace {

// c as a kernel argument: without c, d stands in, because a kernel may form its address though beta is 0.
void fill_addend(const GemmProblem& problem, GemmOperands& operands) {
  if (problem.has_c) return;
  operands.c = operands.d;
  operands.beta = {};
}

// Calls launch(operands, count, first) for parts of the batch that one launch may have, the operands moved to the part's first
// matrix.
template <class Launch>
void for_batches(const GemmProblem& p, const GemmOperands& operands, Launch&& launch) {
  if (p.batch <= kBatchLaunch) return launch(operands, p.batch, int64_t{0});
  for (int64_t first = 0; first < p.batch; first += kBatchLaunch) {
    GemmOperands part = operands;
    const auto move = [&](Mem& mem, int64_t stride) {
      if (mem.at.buffer != nullptr) mem.at.offset += static_cast<uint64_t>(first * stride) * mem.item_bytes;
    };
    move(part.a, p.a.batch), move(part.b, p.b.batch), move(part.c, p.has_c ? p.c.batch : p.d.batch), move(part.d, p.d.batch);
    for (size_t t = 0; t < part.further.size(); ++t) move(part.further[t], p.further[t].batch);
    launch(part, std::min(kBatchLaunch, p.batch - first), first);
  }
}

}  // namespace

void OwnGemm::run(onc_queue& queue, const GemmOperands& given) {
  GemmOperands o = given;
  if (swapped_) std::swap(o.a, o.b);
  fill_addend(problem_, o);
  for_batches(problem_, o, [&](const GemmOperands& part, int64_t count, int64_t first) { launch(queue, part, count, first); });
}

std::optional<EpilogueText> epilogue_text(const GemmProblem& p, int64_t width) {
  if (p.epilogue == nullptr) return std::nullopt;
  return EpilogueText(*p.epilogue, p.dtype, p.further, gemm_type(p.dtype), static_cast<int>(width));
}

Kernel::Arguments& add_strides(Kernel::Arguments& arguments, const MatrixStrides& s) {
  return arguments.add(s.row).add(s.column).add(s.batch);
}

void add_factors(Kernel::Arguments& arguments, uint32_t dtype, const GemmOperands& operands) {
  for (const onc_scalar& factor : {operands.alpha, operands.beta}) {
    if (dtype == ONC_F64) {
      arguments.add(factor.f);
    } else if (dtype == ONC_I64) {
      arguments.add(static_cast<cl_ulong>(factor.i));
    } else if (kit::dtype_kind(dtype) == 'f') {
      arguments.add(static_cast<float>(factor.f));
    } else {
      arguments.add(static_cast<cl_uint>(factor.i));
    }
  }
}

}  // namespace oncilla::ocl
