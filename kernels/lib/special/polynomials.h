// Orthogonal polynomials by their recurrences (Abramowitz and Stegun, 22.7), scalars (T float or double). A fraction of the degree is dropped; of a negative degree, or one beyond int64, all are 0, as
// PyTorch has it. Beyond 2^24 steps, where a float no longer counts, they are NaN.
static inline T FN(onc_polynomials_chebyshev_t)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  if (fabs(x) < C(1.0) && n > C(6.0)) return cos(n * acos(x));
  T before = C(1.0), y = x;
  if (n == C(0.0)) return before;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = C(2.0) * x * y - before;
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_chebyshev_u)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  T before = C(1.0), y = C(2.0) * x;
  if (n == C(0.0)) return before;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = C(2.0) * x * y - before;
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_chebyshev_v)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  T before = C(1.0), y = C(2.0) * x - C(1.0);
  if (n == C(0.0)) return before;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = C(2.0) * x * y - before;
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_chebyshev_w)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  T before = C(1.0), y = C(2.0) * x + C(1.0);
  if (n == C(0.0)) return before;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = C(2.0) * x * y - before;
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_hermite_h)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  if (n == C(0.0)) return C(1.0);
  T before = C(1.0), y = C(2.0) * x;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = C(2.0) * (x * y - k * before);
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_hermite_he)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  if (n == C(0.0)) return C(1.0);
  T before = C(1.0), y = x;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = x * y - k * before;
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_laguerre)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  if (n == C(0.0)) return C(1.0);
  T before = C(1.0), y = C(1.0) - x;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = ((C(2.0) * k + C(1.0) - x) * y - k * before) / (k + C(1.0));
    before = y;
    y = next;
  }
  return y;
}
static inline T FN(onc_polynomials_legendre)(T x, T degree) {
  const T n = trunc(degree);
  if (!(n >= C(0.0)) || n > C(9e18)) return C(0.0);
  if (n > C(16777216.0)) return (T)(NAN);
  if (n == C(0.0)) return C(1.0);
  T before = C(1.0), y = x;
  for (T k = C(1.0); k < n && y == y; k += C(1.0)) {
    const T next = ((C(2.0) * k + C(1.0)) * x * y - k * before) / (k + C(1.0));
    before = y;
    y = next;
  }
  return y;
}
