// How an element is combined with what lies at its place already; the numbers of onc_scatter_attrs. T is the type of arithmetic; UNSIGNED, for integers, the
// type in which they wrap. NaN wins in MIN and MAX.
enum { SCATTER_ASSIGN, SCATTER_SUM, SCATTER_PROD, SCATTER_MEAN, SCATTER_MIN, SCATTER_MAX };

#ifdef BOOLEAN
#define STORED(v) ((v) != 0)
#else
#define STORED(v) (v)
#endif

#ifdef UNSIGNED
#define ADD(a, b) ((T)((UNSIGNED)(a) + (UNSIGNED)(b)))
#define MULTIPLY(a, b) ((T)((UNSIGNED)(a) * (UNSIGNED)(b)))
#define IS_NAN(a) 0
// Towards minus infinity, as PyTorch divides integers here; count is positive.
static inline T scatter_divide(T a, int count) { return a / count - (a % count < 0 ? 1 : 0); }
#else
#define ADD(a, b) ((a) + (b))
#define MULTIPLY(a, b) ((a) * (b))
#define IS_NAN(a) ((a) != (a))
static inline T scatter_divide(T a, int count) { return a / (T)count; }
#endif

static inline T scatter_combine(int reduce, T a, T b) {
  switch (reduce) {
    case SCATTER_PROD: return MULTIPLY(a, b);
    case SCATTER_MIN: return b < a || IS_NAN(b) ? b : a;
    case SCATTER_MAX: return b > a || IS_NAN(b) ? b : a;
    default: return ADD(a, b);
  }
}

static inline T scatter_identity(int reduce) {
  switch (reduce) {
    case SCATTER_PROD: return (T)1;
    case SCATTER_MIN: return (T)HIGHEST;
    case SCATTER_MAX: return (T)LOWEST;
    default: return (T)0;
  }
}
