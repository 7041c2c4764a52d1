// Tensors of values that follow from their position: ranges, spaced numbers, the identity.
#include "torch/kernel.hpp"

#include <ATen/Dispatch.h>

#include <ATen/native/RangeUtils.h>
#include <ATen/ops/arange_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/eye_ops.h>
#include <ATen/ops/linspace_ops.h>
#include <ATen/ops/logspace_ops.h>
#include <ATen/ops/range_ops.h>

#include <c10/util/FunctionRef.h>

#include <cmath>

#include "torch/pointwise.hpp"

namespace oncilla::adapter {
namespace {

// out = fn(position) for `count` elements, computed in `common`.
void by_position(at::Tensor& out, int64_t count, at::ScalarType common, c10::function_ref<Value(Ctx&, Value)> fn) {
  if (out.numel() != count) out.resize_({count});
  if (count == 0) return;
  const at::Tensor to = out.is_contiguous() ? out.view({count}) : at::empty({count}, out.options());
  auto iter = at::TensorIteratorConfig()
                  .set_check_mem_overlap(false)
                  .check_all_same_dtype(false)
                  .resize_outputs(false)
                  .add_output(to)
                  .enforce_linear_iteration(true)
                  .build();
  pointwise(iter, common, {}, [&](Ctx& c) {
    const Value at = c.tape.coord(0);
    return fn(c, at.dtype == c.dtype ? at : c.tape.cast(at, c.dtype));
  });
  if (!out.is_contiguous()) out.copy_(to.view(out.sizes()));
}

// Whole numbers count in int64; floating ones in the widest dtype that the tape has for them.
void steps_from(const at::Scalar& start, const at::Scalar& step, int64_t count, at::Tensor& out) {
  const auto type = out.scalar_type();
  by_position(out, count, at::isIntegralType(type, false) ? at::kLong : type,
              [&](Ctx& c, Value at) { return c.s(start) + at * c.s(step); });
}
at::Tensor& arange_out(const at::Scalar& start, const at::Scalar& end, const at::Scalar& step, at::Tensor& out) {
  need_dtype(out.scalar_type());
  steps_from(start, step,
             out.scalar_type() == at::kLong ? at::native::compute_arange_size<int64_t>(start, end, step)
                                            : at::native::compute_arange_size<double>(start, end, step),
             out);
  return out;
}
// The end belongs to it.
at::Tensor& range_out(const at::Scalar& start, const at::Scalar& end, const at::Scalar& step, at::Tensor& out) {
  need_dtype(out.scalar_type());
  at::native::arange_check_bounds(start, end, step);
  steps_from(start, step, static_cast<int64_t>(std::floor((end.toDouble() - start.toDouble()) / step.toDouble())) + 1, out);
  return out;
}

// An end as the output holds it: whole numbers have no fractions.
double end_in(const at::Scalar& value, at::ScalarType type) {
  if (!at::isIntegralType(type, false)) return value.toDouble();
  return AT_DISPATCH_INTEGRAL_TYPES(type, "spaced", [&] { return static_cast<double>(value.to<scalar_t>()); });
}

// The nearer end is the one counted from, so that both ends are met exactly. Numbers between whole ends have fractions on the way:
// they are counted in float64, as on the CPU.
Value spaced(Ctx& c, Value at, double from, double to, double by, int64_t steps) {
  const Value step = c.s(c10::Scalar(by)), last = c.s(c10::Scalar(steps - 1)), half = c.s(c10::Scalar(steps / 2));
  return where(lt(at, half), c.s(c10::Scalar(from)) + step * at, c.s(c10::Scalar(to)) - step * (last - at));
}
at::ScalarType spaced_in(const at::Tensor& out) {
  need_dtype(out.scalar_type());
  return out.is_floating_point() ? out.scalar_type() : at::kDouble;
}
at::Tensor& linspace_out(const at::Scalar& start, const at::Scalar& end, int64_t steps, at::Tensor& out) {
  TORCH_CHECK(steps >= 0, "number of steps must be non-negative");
  const double from = end_in(start, out.scalar_type()), to = end_in(end, out.scalar_type());
  by_position(out, steps, spaced_in(out), [&](Ctx& c, Value at) {
    return steps == 1 ? c.s(c10::Scalar(from)) : spaced(c, at, from, to, (to - from) / static_cast<double>(steps - 1), steps);
  });
  return out;
}
at::Tensor& logspace_out(const at::Scalar& start, const at::Scalar& end, int64_t steps, double base, at::Tensor& out) {
  TORCH_CHECK(steps >= 0, "number of steps must be non-negative");
  const double from = end_in(start, out.scalar_type()), to = end_in(end, out.scalar_type());
  const double by = steps > 1 ? (to - from) / static_cast<double>(steps - 1) : 0;
  by_position(out, steps, spaced_in(out), [&](Ctx& c, Value at) {
    // A single exponent is taken as it was given.
    const Value exponent = steps == 1 ? c.s(c10::Scalar(start.toDouble())) : spaced(c, at, from, to, by, steps);
    return pow(c.s(c10::Scalar(base)), exponent);
  });
  return out;
}

at::Tensor& eye_out(c10::SymInt n, c10::SymInt m, at::Tensor& out) {
  const int64_t rows = n.guard_int(__FILE__, __LINE__), columns = m.guard_int(__FILE__, __LINE__);
  TORCH_CHECK(rows >= 0 && columns >= 0, "n and m must not be negative, got ", rows, " and ", columns);
  out.resize_({rows, columns});
  if (out.numel() == 0) return out;
  const TensorRef to = out_ref(out);
  Tape tape;
  tape.output(eq(tape.coord(0), tape.coord(1)));
  Op op(ONC_OP_EXPR);
  op.out(to).tape(tape, to.dims);
  run(op, out.device().index());
  return out;
}
at::Tensor& eye_square_out(c10::SymInt n, at::Tensor& out) { return eye_out(n, n, out); }

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::arange_start_out, arange_out>(m);
  kernel<at::_ops::range_out, range_out>(m);
  kernel<at::_ops::linspace_out, linspace_out>(m);
  kernel<at::_ops::logspace_out, logspace_out>(m);
  kernel<at::_ops::eye_out, eye_square_out>(m);
  kernel<at::_ops::eye_m_out, eye_out>(m);
}

}  // namespace oncilla::adapter
