// Reductions over segments of an axis, whose lengths or offsets are data, and what repeat_interleave is made of. The segment of a
// position is searched for in the running sum of the lengths; SCATTER combines in the order of the positions.
#include "torch/kernel.hpp"

#include <ATen/native/ReductionType.h>
#include <ATen/native/SegmentReduce.h>
#include <ATen/ops/_segment_reduce_backward_native.h>
#include <ATen/ops/_segment_reduce_backward_ops.h>
#include <ATen/ops/arange.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/full.h>
#include <ATen/ops/gather.h>
#include <ATen/ops/repeat_interleave_ops.h>
#include <ATen/ops/searchsorted.h>
#include <ATen/ops/segment_reduce_native.h>
#include <ATen/ops/segment_reduce_ops.h>
#include <ATen/ops/where.h>

#include <limits>

#include "torch/arguments.hpp"
#include "torch/indexing.hpp"

namespace oncilla::adapter {
namespace {

using Kind = at::native::ReductionType;

// data as [outer, n, inner], lengths [outer, segments], and which segment each position belongs to. A position behind the last
// segment belongs to none: it is numbered `segments`.
struct Segments {
  Segments(const at::Tensor& data, const at::Tensor& given) : lengths(as_long(given)) {
    const int64_t axis = lengths.dim() - 1;
    for (int64_t d = 0; d < axis; ++d) outer *= data.size(d);
    for (int64_t d = axis + 1; d < data.dim(); ++d) inner *= data.size(d);
    n = data.size(axis);
    count = lengths.size(axis);
    lengths = lengths.reshape({outer, count});
    sizes = data.sizes().vec();
    sizes[static_cast<size_t>(axis)] = count;
    const at::Tensor ends = lengths.cumsum(1), each = at::arange(n, ends.options()).expand({outer, n}).contiguous();
    const at::Tensor number = count == 0 ? at::full({outer, n}, 0, ends.options()) : at::searchsorted(ends, each, false, true);
    of_each = number.unsqueeze(2).expand({outer, n, inner});
  }
  at::Tensor positions(const at::Tensor& t) const { return t.reshape({outer, n, inner}); }
  // A value of each segment, at each of its positions.
  at::Tensor spread(const at::Tensor& t) const {
    return at::gather(t.reshape({outer, count, inner}), 1, of_each.clamp_max(count - 1));
  }
  // Values of the positions, combined by segment onto `start`.
  at::Tensor combined(const at::Tensor& values, const at::Scalar& start, uint32_t kind) const {
    const at::Tensor y = at::full({outer, count, inner}, start, values.options());
    if (y.numel() > 0 && n > 0) scatter_into(y, 1, of_each, values, kind, true, y);
    return y;
  }

  at::Tensor lengths, of_each;
  std::vector<int64_t> sizes;  // of the result
  int64_t outer = 1, n = 0, inner = 1, count = 0;
};

double identity_of(Kind kind) {
  if (kind == Kind::MAX) return -std::numeric_limits<double>::infinity();
  if (kind == Kind::MIN) return std::numeric_limits<double>::infinity();
  return kind == Kind::PROD ? 1 : 0;
}
uint32_t scatter_of(Kind kind) {
  if (kind == Kind::MAX) return ONC_SCATTER_MAX;
  if (kind == Kind::MIN) return ONC_SCATTER_MIN;
  return kind == Kind::PROD ? ONC_SCATTER_PROD : ONC_SCATTER_SUM;
}

at::Tensor reduce_by_lengths(Kind kind, const at::Tensor& data, const at::Tensor& lengths, int64_t,
                             const std::optional<at::Scalar>& initial) {
  const Segments s(data, lengths);
  at::Tensor y = s.combined(s.positions(data), initial.value_or(at::Scalar(identity_of(kind))), scatter_of(kind));
  if (kind == Kind::MEAN) {
    // An empty segment has no mean, unless an initial value was given.
    const at::Tensor size = s.lengths.unsqueeze(2).to(y.scalar_type());
    y = initial ? y.div(size.clamp_min(1)) : y.div(size);
  }
  return y.view(s.sizes);
}

at::Tensor gradient_by_lengths(const at::Tensor& grad, const at::Tensor& output, const at::Tensor& data, Kind kind,
                               const at::Tensor& lengths, int64_t, const std::optional<at::Scalar>& initial) {
  const Segments s(data, lengths);
  if (data.numel() == 0 || s.count == 0) return at::full(data.sizes(), 0, data.options());
  const at::Tensor x = s.positions(data), g = s.spread(grad), outside = s.of_each.ge(s.count);
  at::Tensor each;
  if (kind == Kind::SUM) {
    each = g;
  } else if (kind == Kind::MEAN) {
    each = g.div(s.spread(s.lengths.unsqueeze(2).expand({s.outer, s.count, s.inner})).to(g.scalar_type()));
  } else if (kind == Kind::MAX || kind == Kind::MIN) {
    const at::Tensor hit = x.ne(x).logical_or(x.eq(s.spread(output)));
    const at::Tensor hits = s.spread(s.combined(hit.to(at::kLong), 0, ONC_SCATTER_SUM));
    // The CPU shares a gradient among equals only where it is positive.
    each = at::where(hit, at::where(g.gt(0), g.div(hits.clamp_min(1)), g), 0);
  } else {
    // Of a factor 0 or NaN: the product of the others, which division cannot give.
    const at::Tensor nan = x.ne(x), special = nan.logical_or(x.eq(0));
    const at::Tensor others = s.spread(s.combined(special.to(at::kLong), 0, ONC_SCATTER_SUM)).sub(1);
    const at::Tensor nans = s.spread(s.combined(nan.to(at::kLong), 0, ONC_SCATTER_SUM)).sub(nan.to(at::kLong));
    const at::Tensor rest = s.spread(s.combined(at::where(special, 1, x), initial.value_or(at::Scalar(1)), ONC_SCATTER_PROD));
    const at::Tensor lost = at::where(nans.gt(0), std::numeric_limits<double>::quiet_NaN(), rest.mul(0));
    each = at::where(special, g.mul(at::where(others.eq(0), rest, lost)), g.mul(s.spread(output)).div(x));
  }
  return each.masked_fill(outside, 0).to(data.scalar_type()).view(data.sizes());
}

// Offsets [..., segments + 1] instead of lengths. They begin at 0, as PyTorch demands.
at::Tensor lengths_of(const at::Tensor& offsets) { return offsets.diff(); }
at::Tensor reduce_by_offsets(Kind kind, const at::Tensor& data, const at::Tensor& offsets, int64_t axis,
                             const std::optional<at::Scalar>& initial) {
  return reduce_by_lengths(kind, data, lengths_of(offsets), axis, initial);
}
at::Tensor gradient_by_offsets(const at::Tensor& grad, const at::Tensor& output, const at::Tensor& data, Kind kind,
                               const at::Tensor& offsets, int64_t axis, const std::optional<at::Scalar>& initial) {
  return gradient_by_lengths(grad, output, data, kind, lengths_of(offsets), axis, initial);
}

at::Tensor segment_reduce(const at::Tensor& data, c10::string_view reduce, const Maybe& lengths, const Maybe& indices,
                          const Maybe& offsets, int64_t axis, bool unsafe, const std::optional<at::Scalar>& initial) {
  need_floating(data, "segments");
  return at::native::segment_reduce_kernel(data, reduce, lengths, indices, offsets, axis, unsafe, initial);
}
at::Tensor segment_reduce_grad(const at::Tensor& grad, const at::Tensor& output, const at::Tensor& data, c10::string_view reduce,
                               const Maybe& lengths, const Maybe& offsets, int64_t axis, const std::optional<at::Scalar>& initial) {
  need_floating(data, "segments");
  return at::native::_segment_reduce_backward_kernel(grad, output, data, reduce, lengths, offsets, axis, initial);
}

// 0 repeats[0] times, 1 repeats[1] times, … With output_size the host waits for nothing, and the numbers must add up to it.
at::Tensor repeat_interleave(const at::Tensor& repeats, std::optional<c10::SymInt> output_size) {
  TORCH_CHECK(repeats.dim() == 1, "repeat_interleave only accept 1D vector as repeat");
  TORCH_CHECK(repeats.scalar_type() == at::kLong || repeats.scalar_type() == at::kInt, "repeats has to be Long or Int tensor");
  if (repeats.numel() == 0) return at::empty({0}, repeats.options());
  const at::Tensor ends = repeats.cumsum(0, at::kLong);
  int64_t total = 0;
  if (output_size) {
    total = output_size->guard_int(__FILE__, __LINE__);
  } else {
    TORCH_CHECK(repeats.ge(0).all().item<bool>(), "repeats can not be negative");
    total = ends[-1].item<int64_t>();
  }
  return at::searchsorted(ends, at::arange(total, ends.options()), false, true).to(repeats.scalar_type());
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::segment_reduce, segment_reduce>(m);
  kernel<at::_ops::_segment_reduce_backward, segment_reduce_grad>(m);
  kernel<at::_ops::repeat_interleave_Tensor, repeat_interleave>(m);
}

}  // namespace oncilla::adapter

// PyTorch's segment_reduce reads these tables after its checks.
namespace at::native {
REGISTER_PRIVATEUSE1_DISPATCH(_segment_reduce_lengths_stub, &oncilla::adapter::reduce_by_lengths)
REGISTER_PRIVATEUSE1_DISPATCH(_segment_reduce_offsets_stub, &oncilla::adapter::reduce_by_offsets)
REGISTER_PRIVATEUSE1_DISPATCH(_segment_reduce_lengths_backward_stub, &oncilla::adapter::gradient_by_lengths)
REGISTER_PRIVATEUSE1_DISPATCH(_segment_reduce_offsets_backward_stub, &oncilla::adapter::gradient_by_offsets)
}  // namespace at::native
