// Reductions that PyTorch has and attrs.h does not, as functions of full values that give reduced ones. Each passes over the data
// once; what needs two passes says what the first one leaves.
#pragma once

#include "core/tape.hpp"

namespace oncilla {

Value count_nonzero(Value x);  // I64
Value nan_sum(Value x);        // NaNs count as 0
Value nan_count(Value x);      // I64: how many are no NaN
Value nan_mean(Value x);       // NaN where all are
// The extreme of those that are no NaN; NaN where all are.
Value nan_min(Value x);
Value nan_max(Value x);

// Vector norms. norm_p: p finite and not 0, 1 or 2; p is a number, not a value.
Value norm_0(Value x);  // of x's dtype: how many are not 0
Value norm_1(Value x);
Value norm_2(Value x);
Value norm_p(Value x, double p);
Value norm_max(Value x);  // p = inf
Value norm_min(Value x);  // p = -inf

// log(sum(exp(x))), given the largest x of each row from a first pass (REDUCE_MAX), broadcast over the row (stride 0 along the
// reduced dims). All -inf gives -inf, any +inf gives +inf, NaN wins.
Value log_sum_exp(Value x, Value largest);

// The sum of squares about the mean of a first pass, broadcast, over `divisor`: max(0, n - correction).
Value variance(Value x, Value mean, Value divisor);

}  // namespace oncilla
