// From dims to reduce to an EXPR op with trailing reduction: kept dims first, neighbours merged where every operand allows.
#include "torch/reduce.hpp"

#include <ATen/WrapDimUtilsMulti.h>

namespace oncilla::adapter {

Dims dims_of(at::OptionalIntArrayRef dims, int64_t rank) {
  return at::dim_list_to_bitset(dims, static_cast<size_t>(rank)).none() || !dims.has_value() || dims->empty()
             ? Dims((rank >= 64 ? 0 : (1ULL << rank)) - 1)
             : at::dim_list_to_bitset(dims, static_cast<size_t>(rank));
}

int64_t count_of(const at::Tensor& self, Dims dims) {
  int64_t count = 1;
  for (int64_t d = 0; d < self.dim(); ++d) count *= dims[static_cast<size_t>(d)] ? self.size(d) : 1;
  return count;
}

namespace {

using Strides = c10::SmallVector<int64_t, 8>;
struct Axis {
  int64_t size;
  Strides strides;  // one an operand, outputs first
};

// Drops dims of size 1 and merges neighbours.
std::vector<Axis> merged(const std::vector<Axis>& axes) {
  std::vector<Axis> out;
  for (const Axis& axis : axes) {
    if (axis.size == 1) continue;
    bool joins = !out.empty();
    for (size_t k = 0; joins && k < axis.strides.size(); ++k) joins = out.back().strides[k] == axis.strides[k] * axis.size;
    if (joins) {
      out.back().size *= axis.size;
      out.back().strides = axis.strides;
    } else {
      out.push_back(axis);
    }
  }
  return out;
}

}  // namespace

void reduce(at::ArrayRef<at::Tensor> outs, at::ArrayRef<at::Tensor> ins, Dims reduced, c10::ScalarType common,
            at::ArrayRef<c10::IValue> args, Fn fn) {
  const at::Tensor& shape = ins[0];
  if (outs[0].numel() == 0) return;
  std::vector<Axis> kept, gone;
  const bool keepdim = outs[0].dim() == shape.dim();
  int64_t out_dim = 0;
  for (int64_t d = 0; d < shape.dim(); ++d) {
    const bool drop = reduced[static_cast<size_t>(d)];
    Axis axis{shape.size(d), {}};
    for (const at::Tensor& out : outs) axis.strides.push_back(drop ? 0 : out.stride(keepdim ? d : out_dim));
    for (const at::Tensor& in : ins) axis.strides.push_back(in.stride(d));
    out_dim += !drop;
    (drop ? gone : kept).push_back(std::move(axis));
  }
  kept = merged(kept);
  gone = merged(gone);
  // A reduction needs a dim, if only of size 1.
  if (gone.empty()) gone.push_back({1, Strides(outs.size() + ins.size(), 0)});

  const size_t rank = kept.size() + gone.size();
  c10::SmallVector<int64_t, 48> numbers;
  for (const Axis& axis : kept) numbers.push_back(axis.size);
  for (const Axis& axis : gone) numbers.push_back(axis.size);
  for (size_t k = 0; k < outs.size() + ins.size(); ++k) {
    for (const Axis& axis : kept) numbers.push_back(axis.strides[k]);
    for (const Axis& axis : gone) numbers.push_back(axis.strides[k]);
  }
  const std::span<const int64_t> dims(numbers.data(), rank);
  auto strides = [&](size_t k, size_t count) { return std::span<const int64_t>(numbers.data() + (1 + k) * rank, count); };

  Tape tape;
  Scalars scalars;
  Op op(ONC_OP_EXPR);
  Ctx ctx(tape, common, tape_dtype(common), args, scalars);
  for (size_t i = 0; i < ins.size(); ++i) {
    TensorRef ref = in_ref(ins[i]);
    ref.dims = dims;
    ref.strides = strides(outs.size() + i, rank);
    op.in(ref);
    const Value raw = tape.input(ref.dtype);
    ctx.add_operand(raw, raw.dtype == ctx.dtype ? raw : tape.cast(raw, ctx.dtype));
  }
  const Value result = fn(ctx);
  if (result.tape != nullptr) tape.output(result);
  for (size_t i = 0; i < outs.size(); ++i) {
    TensorRef ref = out_ref(outs[i]);
    ref.dims = dims.first(kept.size());
    ref.strides = strides(i, kept.size());
    op.out(ref);
  }
  op.tape(tape, dims, static_cast<uint32_t>(gone.size()));
  scalars.bind(op);
  run(op, shape.device().index());
}

}  // namespace oncilla::adapter
