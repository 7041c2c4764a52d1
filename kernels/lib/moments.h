// Mean and sum of squared deviations, in parts. A part is a run of elements that is read twice: for its mean, and for the deviations from it, which also
// correct it; parts are joined by the rule of Chan, Golub and LeVeque, "Updating formulae and a pairwise algorithm for computing sample variances".
// The mean is kept as a sum of two numbers, so that a spread much smaller than the mean keeps its digits. A NaN or an infinity makes m2 NaN.
// Reads lib/slice.h.
typedef struct {
  T n;
  R mean, low, m2;
} Moments;

static inline Moments no_moments(void) {
  Moments none;
  none.n = 0;
  none.mean = none.low = none.m2 = (R)((T)0);
  return none;
}

static inline Moments join_moments(Moments a, Moments b) {
  if (b.n == 0) return a;
  if (a.n == 0) return b;
  Moments all;
  all.n = a.n + b.n;
  const R d = (b.mean - a.mean) + (b.low - a.low), step = d * (b.n / all.n);
  all.mean = a.mean + step;
  const R added = all.mean - a.mean;
  all.low = a.low + ((a.mean - (all.mean - added)) + (step - added));
  all.m2 = a.m2 + b.m2 + d * step * a.n;
  return all;
}

// Of n elements with this sum about `mean` and this sum of squares about it.
static inline Moments centred_moments(T n, R mean, R sum, R squares) {
  Moments part;
  part.n = n;
  part.mean = mean;
  part.low = sum / n;
  part.m2 = squares - part.low * sum;
  return part;
}

static inline R moments_mean(Moments m) { return m.m2 == m.m2 ? m.mean + m.low : (R)((T)NAN); }

#ifdef VECTOR
// Adds the elements from `begin` to before `end` of a line. Four sums of each kind hide the latency of an addition.
static inline Moments line_moments(Moments all, const global E *p, long stride, I begin, I end, int columns, int live) {
  for (I from = begin; from < end; from += BLOCK) {
    const I inner_end = min(end, from + BLOCK);
    V sum = (V)((T)0), sum1 = sum, sum2 = sum, sum3 = sum;
    I i = from;
    for (; inner_end - i >= 64; i += 64) {
      sum += LOAD16(p + i);
      sum1 += LOAD16(p + i + 16);
      sum2 += LOAD16(p + i + 32);
      sum3 += LOAD16(p + i + 48);
    }
    for (; i < inner_end; i += 16) sum += READ(p, stride);
    const T n = (T)(inner_end - from), mean = lanes_sum((sum + sum1) + (sum2 + sum3)) / n;
    V squares = (V)((T)0), squares1 = squares, squares2 = squares, squares3 = squares;
    sum = sum1 = sum2 = sum3 = squares;
    for (i = from; inner_end - i >= 64; i += 64) {
      const V d = LOAD16(p + i) - mean, d1 = LOAD16(p + i + 16) - mean, d2 = LOAD16(p + i + 32) - mean, d3 = LOAD16(p + i + 48) - mean;
      sum += d;
      sum1 += d1;
      sum2 += d2;
      sum3 += d3;
      squares += d * d;
      squares1 += d1 * d1;
      squares2 += d2 * d2;
      squares3 += d3 * d3;
    }
    for (; i < inner_end; i += 16) {
      const V d = ONLY(READ(p, stride) - mean);
      sum += d;
      squares += d * d;
    }
    all = join_moments(all, centred_moments(n, mean, lanes_sum((sum + sum1) + (sum2 + sum3)),
                                            lanes_sum((squares + squares1) + (squares2 + squares3))));
  }
  return all;
}

#else
// A part is so many steps of a work-item.
#define PART_STEPS 128

// Adds the elements from `begin` to before `end` of a line, of which this work-item takes each INNER_STEP from begin + INNER_START.
static inline Moments line_moments(Moments all, const global E *p, long stride, I begin, I end, int columns, int live) {
  const I reach = (I)PART_STEPS * INNER_STEP;
  for (I from = begin; from < end; from += reach) {
    const I inner_end = min(end, from + reach);
    W sum = (W)((T)0);
    T n = 0;
    for (I i = from + INNER_START; i < inner_end; i += INNER_STEP) {
      sum += READ(p, stride);
      n += (T)1;
    }
    if (n == 0) continue;
    const R mean = WHOLE(sum) / n;
    W squares = (W)((T)0), lost = squares;
    sum = squares;
    for (I i = from + INNER_START; i < inner_end; i += INNER_STEP) {
      const W d = ONLY(READ(p, stride) - mean);
      sum += d;
      ADD(W, squares, lost, d * d)
    }
    all = join_moments(all, centred_moments(n, mean, WHOLE(sum), compensated_total(squares, lost)));
  }
  return all;
}
#endif

#ifdef GROUP
// Joins what each item of the group has, as one fixed tree; all get the result. scratch: 4 * GROUP values.
static inline Moments group_moments(local T *scratch, Moments mine) {
  const int l = (int)get_local_id(0);
  local T *means = scratch + GROUP, *lows = scratch + 2 * GROUP, *m2s = scratch + 3 * GROUP;
  scratch[l] = mine.n;
  means[l] = mine.mean;
  lows[l] = mine.low;
  m2s[l] = mine.m2;
  barrier(CLK_LOCAL_MEM_FENCE);
  for (int half_size = GROUP / 2; half_size > 0; half_size /= 2) {
    if (l < half_size) {
      const Moments a = {scratch[l], means[l], lows[l], m2s[l]};
      const int k = l + half_size;
      const Moments b = {scratch[k], means[k], lows[k], m2s[k]};
      const Moments both = join_moments(a, b);
      scratch[l] = both.n;
      means[l] = both.mean;
      lows[l] = both.low;
      m2s[l] = both.m2;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  const Moments result = {scratch[0], means[0], lows[0], m2s[0]};
  barrier(CLK_LOCAL_MEM_FENCE);
  return result;
}
#endif
