#include "core/statistics.hpp"

#include <limits>

namespace oncilla {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Value reduce(uint32_t op, Value x) { return x.tape->reduce(op, x); }
Value sum(Value x) { return reduce(ONC_EX_REDUCE_SUM, x); }
Value constant_like(Value x, double value) { return x.tape->constant(x.dtype, value); }
Value zero(Value x) { return x.dtype == ONC_BOOL ? x.tape->constant_int(ONC_BOOL, 0) : constant_like(x, 0); }
Value count(Value condition) { return sum(condition.tape->cast(condition, ONC_I64)); }
Value without_nan(Value x, double instead) { return where(isnan(x), constant_like(x, instead), x); }

// The extreme of the numbers, or NaN where there is none.
Value nan_extreme(Value x, uint32_t op, double identity) {
  return where(eq(nan_count(x), x.tape->constant_int(ONC_I64, 0)), constant_like(x, std::numeric_limits<double>::quiet_NaN()),
               reduce(op, without_nan(x, identity)));
}

}  // namespace

Value count_nonzero(Value x) { return count(ne(x, zero(x))); }
Value nan_sum(Value x) { return sum(without_nan(x, 0)); }
Value nan_count(Value x) { return count(logical_not(isnan(x))); }
Value nan_mean(Value x) { return nan_sum(x) / x.tape->cast(nan_count(x), x.dtype); }
Value nan_min(Value x) { return nan_extreme(x, ONC_EX_REDUCE_MIN, kInfinity); }
Value nan_max(Value x) { return nan_extreme(x, ONC_EX_REDUCE_MAX, -kInfinity); }

Value norm_0(Value x) { return x.tape->cast(count_nonzero(x), x.dtype); }
Value norm_1(Value x) { return sum(abs(x)); }
Value norm_2(Value x) { return sqrt(sum(x * x)); }
Value norm_p(Value x, double p) { return pow(sum(pow(abs(x), constant_like(x, p))), constant_like(x, 1 / p)); }
Value norm_max(Value x) { return reduce(ONC_EX_REDUCE_MAX, abs(x)); }
Value norm_min(Value x) { return reduce(ONC_EX_REDUCE_MIN, abs(x)); }

// An infinite largest value is taken off as 0, so that the exponentials say what is there: 0 or infinity.
Value log_sum_exp(Value x, Value largest) {
  const Value shift = where(isinf(largest), constant_like(largest, 0), largest);
  return log(sum(exp(x - shift))) + shift;
}

Value variance(Value x, Value mean, Value divisor) {
  const Value off = x - mean;
  return sum(off * off) / divisor;
}

}  // namespace oncilla
