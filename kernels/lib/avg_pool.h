// What a window of average pooling covers along one dim, and what it divides by. PyTorch's rule: with count_include_pad a window counts the
// positions up to the end of the right padding, else only those inside the input; divisor_override replaces both.
typedef struct {
  int first, end;  // positions inside the input
  int count;       // this dim's factor of the divisor
} Cover;

static inline Cover cover(int o, int in, int taps, int stride, int pad, int include_pad) {
  const int start = o * stride - pad, stop = min(start + taps, in + pad);
  Cover c;
  c.first = max(start, 0);
  c.end = max(c.first, min(stop, in));
  c.count = include_pad ? stop - start : c.end - c.first;
  return c;
}

static inline T divisor(int slices, int rows, int columns, T divisor_override) {
  return divisor_override != 0 ? divisor_override : (T)slices * (T)rows * (T)columns;
}
