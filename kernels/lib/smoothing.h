// Label smoothing (SMOOTHING) of cross-entropy: a row's loss is (1 - smoothing) * weight[target] * nll(target) + smoothing / classes * sum over the
// classes c of weight[c] * nll(c), where nll(c) = lse - x[c]; a missing weight is 1. Reads lib/loss.h.
#ifdef SMOOTHING
#define SMOOTH(statement) statement

// The weight of class c.
static inline T class_weight(const global E *weight, long stride, I c) { return weight != 0 ? LOAD_AT(weight, c * stride) : (T)1; }

// The weights of classes first … first+15; 0 beyond the last class.
#if defined(VECTOR)
static inline V class_weights(const global E *weight, long stride, I first, I classes) {
  if (weight != 0 && stride == 1 && classes - first >= 16) return LOAD16(weight + first);
  V v = (V)((T)0);
  T *lane = (T *)&v;
  for (int l = 0; l < (int)min((I)16, classes - first); ++l) lane[l] = class_weight(weight, stride, first + l);
  return v;
}
#endif

static inline T all_weights(const global E *weight, long stride, I classes) {
  if (weight == 0) return (T)classes;
  T sum = 0;
  for (I c = 0; c < classes; ++c) sum += LOAD_AT(weight, c * stride);
  return sum;
}
#else
#define SMOOTH(statement)
#endif
