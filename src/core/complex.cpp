#include "core/complex.hpp"

namespace oncilla {
namespace {

// d = sign * a @ b + keep * d
void product(Queue& queue, const TensorRef& a, const TensorRef& b, const TensorRef& d, double sign, bool keep) {
  Op op(ONC_OP_MATMUL);
  op.in(a).in(b);
  if (keep) {
    op.in(d);
  } else {
    op.no_in();
  }
  op.out(d).scalar(sign).scalar(keep ? 1 : 0).run(queue);
}

}  // namespace

ComplexValue mul(ComplexValue a, ComplexValue b) { return {a.re * b.re - a.im * b.im, a.re * b.im + a.im * b.re}; }

ComplexValue div(ComplexValue a, ComplexValue b) {
  // Divide by the larger part of b first: with `wide` the real one, the roles of the parts change places.
  const Value wide = ge(oncilla::abs(b.re), oncilla::abs(b.im));
  const Value large = where(wide, b.re, b.im), small = where(wide, b.im, b.re);
  const Value ratio = small / large, scale = large + small * ratio;
  const Value re = where(wide, a.re + a.im * ratio, a.re * ratio + a.im);
  const Value im = where(wide, a.im - a.re * ratio, a.im * ratio - a.re);
  return {re / scale, im / scale};
}

Value abs(ComplexValue a) { return hypot(a.re, a.im); }

ComplexView::ComplexView(onc_arg at, uint32_t part_dtype, std::span<const int64_t> dims, std::span<const int64_t> strides)
    : at_(at), dtype_(part_dtype), dims_(dims.begin(), dims.end()), strides_(strides.begin(), strides.end()) {
  if (part_dtype != ONC_F32 && part_dtype != ONC_F64)
    throw Error(ONC_INVALID_ARGUMENT, std::string("[complex] parts are float32 or float64, not ") + dtype_name(part_dtype));
  for (int64_t& stride : strides_) stride *= 2;
}

TensorRef ComplexView::part(uint64_t number) const {
  const uint64_t bytes = dtype_ == ONC_F64 ? 8 : 4;
  return {{at_.buffer, at_.offset + number * bytes}, dtype_, dims_, strides_};
}

void complex_matmul(Queue& queue, const ComplexView& a, const ComplexView& b, const ComplexView& d, bool conj_b) {
  const double sign = conj_b ? -1 : 1;
  product(queue, a.re(), b.re(), d.re(), 1, false);
  product(queue, a.im(), b.im(), d.re(), -sign, true);
  product(queue, a.im(), b.re(), d.im(), 1, false);
  product(queue, a.re(), b.im(), d.im(), sign, true);
}

}  // namespace oncilla
