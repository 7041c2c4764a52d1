// Sums over tables of coefficients, the last term first. TABLE is where tables lie: constant in OpenCL C.

// c[n-1]/2 + c[n-2] T1(t) + ... + c[0] T_{n-1}(t). Clenshaw, "A note on the summation of Chebyshev series", 1955.
static inline T FN(onc_chebyshev)(TABLE_OF T *c, int n, T t) {
  T b0 = 0, b1 = 0, b2 = 0;
  for (int k = 0; k < n; ++k) {
    b2 = b1;
    b1 = b0;
    b0 = C(2.0) * t * b1 - b2 + c[k];
  }
  return C(0.5) * (b0 - b2);
}

// c[n-1] + c[n-2] x + ... + c[0] x^{n-1}.
static inline T FN(onc_polynomial)(TABLE_OF T *c, int n, T x) {
  T y = c[0];
  for (int k = 1; k < n; ++k) y = y * x + c[k];
  return y;
}
#undef LENGTH
#define LENGTH(table) ((int)(sizeof(table) / sizeof((table)[0])))
