// Orthogonal polynomials by their recurrences (Abramowitz and Stegun, 22.7), scalars (T float or double). A fraction of the degree is dropped; of a negative degree, or one beyond int64, all are 0, as
// PyTorch has it. Beyond 2^24 steps, where a float no longer counts, they are NaN.

// A function of (x, degree): the value of degree 1, and of degree k + 1 from those of degree k (y) and k - 1 (before). `shortcut` comes first, and may return.
#define POLYNOMIAL(name, shortcut, first, next)                    \
  static inline T FN(onc_polynomials_##name)(T x, T degree) {      \
    const T n = trunc(degree);                                     \
    if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);              \
    if (n > C(16777216.0)) return (T)(NAN);                        \
    if (n == C(0.0)) return C(1.0);                                \
    shortcut;                                                      \
    T before = C(1.0), y = first;                                  \
    for (T k = C(1.0); k < n && y == y; k += C(1.0)) {             \
      const T after = next;                                        \
      before = y;                                                  \
      y = after;                                                   \
    }                                                              \
    return y;                                                      \
  }

POLYNOMIAL(chebyshev_t, if (fabs(x) < C(1.0) && n > C(6.0)) return cos(n * acos(x)), x, C(2.0) * x * y - before)
POLYNOMIAL(chebyshev_u, , C(2.0) * x, C(2.0) * x * y - before)
POLYNOMIAL(chebyshev_v, , C(2.0) * x - C(1.0), C(2.0) * x * y - before)
POLYNOMIAL(chebyshev_w, , C(2.0) * x + C(1.0), C(2.0) * x * y - before)
POLYNOMIAL(hermite_h, , C(2.0) * x, C(2.0) * (x * y - k * before))
POLYNOMIAL(hermite_he, , x, x * y - k * before)
POLYNOMIAL(laguerre, , C(1.0) - x, ((C(2.0) * k + C(1.0) - x) * y - k * before) / (k + C(1.0)))
POLYNOMIAL(legendre, , x, ((C(2.0) * k + C(1.0)) * x * y - k * before) / (k + C(1.0)))
#undef POLYNOMIAL
