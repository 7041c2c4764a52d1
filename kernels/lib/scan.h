// What a scan carries along a row, and how elements and parts of a row join it. The host defines T and one of
//   ADD_UP   sums and products. COMPENSATED: a float32 sum keeps what rounding lost (Knuth's two-sum), so that long rows stay exact to the last bit or so.
//   EXTREME  minima and maxima with their position; the last of equals, and NaN from where it appears.
//   LOGSUM   log(exp(a) + exp(b) + ...), as the greatest so far and the sum of exponentials relative to it.
enum { SCAN_SUM, SCAN_PROD, SCAN_MIN, SCAN_MAX, SCAN_LOGSUMEXP };

typedef struct {
  T value;
#ifdef COMPENSATED
  T lost;
#endif
#ifdef LOGSUM
  T sum;
#endif
#ifdef EXTREME
  long at;  // -1: nothing yet
#endif
} State;

// By members: rusticl 22.3 may copy a structure into an array in part (docs/runtimes.md).
static inline void scan_clear(State *s, int kind) {
#if defined(EXTREME)
  s->value = 0;
  s->at = -1;
#elif defined(LOGSUM)
  s->value = -INFINITY;
  s->sum = 0;
#else
  s->value = kind == SCAN_PROD;
#ifdef COMPENSATED
  s->lost = 0;
#endif
#endif
}

static inline State scan_identity(int kind) {
  State s;
  scan_clear(&s, kind);
  return s;
}

// s and then v, the element at position `at`.
static inline void scan_step(State *s, int kind, T v, long at) {
#if defined(EXTREME)
  const int better = kind == SCAN_MIN ? v <= s->value : v >= s->value;
  if (s->at < 0 || better || v != v) {
    s->value = v;
    s->at = at;
  }
#elif defined(LOGSUM)
  if (v > s->value) {
    s->sum = s->sum * exp(s->value - v) + 1;
    s->value = v;
  } else {
    s->sum += v == s->value ? (T)1 : exp(v - s->value);  // equals may be infinite
  }
#elif defined(UNSIGNED)
  s->value = kind == SCAN_PROD ? (T)((UNSIGNED)s->value * (UNSIGNED)v) : (T)((UNSIGNED)s->value + (UNSIGNED)v);
#elif defined(COMPENSATED)
  if (kind == SCAN_PROD) {
    s->value *= v;
  } else {
    const T sum = s->value + v, part = sum - s->value;
    s->lost += (s->value - (sum - part)) + (v - part);
    s->value = sum;
  }
#else
  s->value = kind == SCAN_PROD ? s->value * v : s->value + v;
#endif
}

// s and then the later part of a row.
static inline void scan_join(State *s, int kind, State part) {
#if defined(EXTREME)
  if (part.at >= 0) scan_step(s, kind, part.value, part.at);
#elif defined(LOGSUM)
  if (part.value > s->value) {
    s->sum = s->sum * exp(s->value - part.value) + part.sum;
    s->value = part.value;
  } else {
    s->sum += part.value == s->value ? part.sum : part.sum * exp(part.value - s->value);
  }
#else
  scan_step(s, kind, part.value, 0);
#ifdef COMPENSATED
  s->lost += part.lost;
#endif
#endif
}

static inline T scan_value(State s) {
#ifdef COMPENSATED
  const T sum = s.value + s.lost;
  return s.value - s.value == 0 ? sum : s.value;  // beyond the finite, what was lost is NaN
#elif defined(LOGSUM)
  return s.value + log(s.sum);
#else
  return s.value;
#endif
}
