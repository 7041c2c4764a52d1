// Sums that lose no digits where many terms almost cancel.
//
// Adds v (of type N) to a sum, and what rounding takes from it to `lost` (Knuth's two-sum).
#define ADD(N, sum, lost, v)                                           \
  {                                                                    \
    const N term_ = v, next_ = sum + term_, added_ = next_ - sum;      \
    lost += (sum - (next_ - added_)) + (term_ - added_);               \
    sum = next_;                                                       \
  }

// The sum and what it lost. An infinite sum has lost NaN, which is left out.
#define COMPENSATED(sum, lost) (isfinite(lost) ? (sum) + (lost) : (sum))
