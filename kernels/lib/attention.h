// What the kernels of attention and of its gradient share: how the score of element (i, j) of a head's L x S matrix comes about besides q . k, what dropout
// makes of a weight, and (TILE) products of panels in local memory. T, E: lib/storage.h. MASK: the integer of a comparison of T, int or long.
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/multiply_add.h"
#include "lib/philox.h"
#include "lib/storage.h"
#ifdef TILE
#include "lib/tile.h"
#endif

typedef struct {
  global const E *added;      // mask 1: added to the score
  global const uchar *shown;  // mask 2: 0 hides the element
  long mask_i, mask_j;
  int mask, causal, dropout;
  ulong first;  // number of element (0, 0) among all heads'
  long keys;    // S
  uint threshold;
  ulong seed, offset;
  T scale, keep;  // keep: what a weight that stays is multiplied with
} Scores;

#define SCORE_PARAMS                                                                                                                                 \
  ARG(const E, added), ARG(const uchar, shown), long4 mask_s, int mask, int causal, int dropout, uint threshold, long seed, long offset, T scale, T keep
// The scores of head h of batch b, heads being numbered from 0 to heads - 1.
#define SCORES(name, b, h, heads, L, S)                                                                                                            \
  const Scores name = {added_base + added_offset + (b) * mask_s.s0 + (h) * mask_s.s1, shown_base + shown_offset + (b) * mask_s.s0 + (h) * mask_s.s1, \
                       mask_s.s2, mask_s.s3, mask, causal, dropout, ((ulong)(b) * (heads) + (h)) * (ulong)(L) * (ulong)(S), S, threshold, seed,     \
                       offset, scale, keep}

// What a row's scores are relative to: its log-sum-exp or maximum, 0 where it sees nothing.
#define FINITE_BASE(x) ((x) == -INFINITY ? (T)0 : (x))

ONC_PHILOX(uint, philox_1)

static inline T score(const Scores *s, T dot, I i, I j) {
  if (s->causal && j > i) return -INFINITY;
  const long at = i * s->mask_i + j * s->mask_j;
  if (s->mask == 2 && s->shown[at] == 0) return -INFINITY;
  const T x = dot * s->scale;
  return s->mask == 1 ? x + LOAD_AT(s->added, at) : x;
}

// 1 without dropout, else 0 or keep.
static inline T kept(const Scores *s, I i, I j) {
  if (!s->dropout) return 1;
  const ulong n = s->first + (ulong)i * s->keys + j;
  uint words[4];
  philox_1((uint)n, (uint)(n >> 32), (uint)s->offset, (uint)(s->offset >> 32), (uint)s->seed, (uint)(s->seed >> 32), words);
  return words[0] >= s->threshold ? s->keep : (T)0;
}

// x . y of `size` elements.
static inline T dot_rows(global const E *x, long x_step, global const E *y, long y_step, int size) {
  T sum = 0;
  for (int e = 0; e < size; ++e) sum = MULTIPLY_ADD(LOAD_AT(x, e * x_step), LOAD_AT(y, e * y_step), sum);
  return sum;
}

#ifdef TILE
// The functions of VW lanes: lane l is element (i, j + l) if `along` is set, (i + l, j) if not. Lanes outside from ... to - 1 are hidden.
typedef CAT(uint, VW) U;
typedef CAT(ulong, VW) UL;
ONC_PHILOX(U, philox_v)
#if VW == 16
#define LANES(type) ((type)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15))
#else
#define LANES(type) ((type)(0, 1, 2, 3, 4, 5, 6, 7))
#endif

static inline V score_v(const Scores *s, V dot, I i, I j, int along, int from, int to) {
  if (s->causal && along) to = (int)clamp(i - j + 1, (I)0, (I)max(to, 0));
  if (s->causal && !along) from = (int)clamp(j - i, (I)0, (I)VW);
  const long at = i * s->mask_i + j * s->mask_j, step = along ? s->mask_j : s->mask_i;
  V x = dot * s->scale;
  T *lane = (T *)&x;
  if (s->mask == 1 && step == 1 && from == 0 && to >= VW) {
    x += LOAD_V(s->added + at);
  } else if (s->mask == 1) {
    for (int l = from; l < min(to, VW); ++l) lane[l] += LOAD_AT(s->added, at + l * step);
  } else if (s->mask == 2) {
    for (int l = from; l < min(to, VW); ++l) lane[l] = s->shown[at + l * step] != 0 ? lane[l] : -INFINITY;
  }
  const V number = LANES(V);
  return number >= (V)(from) && number < (V)(to) ? x : (V)(-INFINITY);
}

static inline V kept_v(const Scores *s, I i, I j, int along) {
  if (!s->dropout) return (V)(1);
  const UL n = (UL)(s->first + (ulong)i * s->keys + j) + LANES(UL) * (UL)(along ? 1 : s->keys);
  U words[4];
  philox_v(CAT(convert_uint, VW)(n), CAT(convert_uint, VW)(n >> 32), (U)((uint)s->offset), (U)((uint)(s->offset >> 32)), (uint)s->seed,
           (uint)(s->seed >> 32), words);
  return CAT(convert_, CAT(MASK, VW))(words[0] >= (U)(s->threshold)) ? (V)(s->keep) : (V)(0);
}

static inline T max_lanes(V v) {
  CAT(T, 8) a;
#if VW == 16
  a = v.lo > v.hi ? v.lo : v.hi;
#else
  a = v;
#endif
  const CAT(T, 4) b = a.lo > a.hi ? a.lo : a.hi;
  const CAT(T, 2) c = b.lo > b.hi ? b.lo : b.hi;
  return c.lo > c.hi ? c.lo : c.hi;
}

DEFINE_PACK_LANES(pack_local, __local)
#define PADDED(size) (((size) + TN - 1) / TN * TN)

// Rows of a tensor, `size` elements each, to rows of PADDED(size), zero behind the elements and in the rows from `rows` to `all`.
static inline void copy_rows(__local T *to, global const E *from, long row, long column, int rows, int all, int size) {
  const int padded = PADDED(size);
  for (int c = 0; c < padded; c += VW) {
    pack_local(to + c, padded, from + c * column, column, row, size - c, rows);
    for (int r = rows; r < all; ++r) VSTORE((V)(0), to + r * padded + c);
  }
}

// The same rows, at most TN of them, as columns: to[element][row].
static inline void copy_columns(__local T *to, global const E *from, long row, long column, int rows, int size) {
  for (int r = 0; r < TN; r += VW) pack_local(to + r, TN, from + r * row, row, column, rows - r, size);
}

static inline void clear(__local T *to, int count) {
  for (int i = 0; i < count; i += VW) VSTORE((V)(0), to + i);
}

// out (TM rows, TN columns) = x @ b, or with `more` out + x @ b. x has `count` columns, b as many rows; *_row: from row to row.
static inline void multiply(__local const T *x, int x_row, __local const T *b, int b_row, int count, __local T *out, int out_row, int more) {
#define FROM_OUT(i) V left##i = more ? VLOAD(out + i * out_row) : (V)(0), right##i = more ? VLOAD(out + i * out_row + VW) : (V)(0);
#define STEP(i) left##i = tile_fma(x[i * x_row], b0, left##i), right##i = tile_fma(x[i * x_row], b1, right##i);
#define TO_OUT(i) VSTORE(left##i, out + i * out_row), VSTORE(right##i, out + i * out_row + VW);
  FOR_ROWS(FROM_OUT)
  for (int k = 0; k < count; ++k, ++x, b += b_row) {
    const V b0 = VLOAD(b), b1 = VLOAD(b + VW);
    FOR_ROWS(STEP)
  }
  FOR_ROWS(TO_OUT)
}

// Row `from` of PADDED(size) to memory, times factor.
static inline void store_local(__local const T *from, T factor, global E *to, long column, int size) {
  int e = 0;
  if (column == 1)
    for (; e + VW <= size; e += VW) STORE_V(to + e, VLOAD(from + e) * factor);
  for (; e < size; ++e) STORE_AT(to, e * column, from[e] * factor);
}
#endif
