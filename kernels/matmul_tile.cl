// d = alpha * a @ b + beta * c and then the epilogue, by register tiles over packed panels; what holds for all variants stands in matmul.cl.
#include "lib/arg.h"
#include "lib/index.h"
#ifdef LOCAL_ROWS
#define A_SPACE __local
#endif
#include "lib/tile.h"
#include "lib/epilogue.h"

// For CPU-class devices: a work-item computes TM x 2*VW register tiles. a is packed beforehand (pack_rows) in panels of ROW_PANEL rows; each work-item packs
// KC rows of its b panel into local memory, close to the core, and walks a group of row tiles over it. -DLOCAL_ROWS: where a work-item has all columns of its
// rows, it packs KC steps of these itself, also into local memory, and the whole of a is never written anew.
//
// The steps of K, and the columns, may lie in runs: within `step_run` steps of a and b they are a_k and b_k apart, and from run to run a_run and b_run; likewise
// `column_run` columns of b and d, with b_columns and d_columns from run to run. So do the places of images. A dimension without runs is one.
DEFINE_PACK_LANES(pack_lanes_global, __global)
DEFINE_PACK_LANES(pack_lanes_local, __local)

// As PACK (DEFINE_PACK_LANES), for the steps k0 ... k0 + count - 1. src: of step 0.
#define DEFINE_PACK_STEPS(NAME, PACK, SPACE)                                                                                                    \
  static inline void NAME(SPACE T *dst, int dst_step, __global const E *src, long lane_stride, long k_stride, int lanes, I k0, int count, I run, \
                   long run_stride) {                                                                                                           \
    for (I in_run = k0 % run; count > 0; in_run = 0) {                                                                                          \
      const int part = (int)min(run - in_run, (I)count);                                                                                        \
      PACK(dst, dst_step, src + (long)(k0 / run) * run_stride + in_run * k_stride, lane_stride, k_stride, lanes, part);                         \
      dst += part * dst_step, k0 += part, count -= part;                                                                                        \
    }                                                                                                                                           \
  }
DEFINE_PACK_STEPS(pack_global, pack_lanes_global, __global)
DEFINE_PACK_STEPS(pack_local, pack_lanes_local, __local)

#ifndef LOCAL_ROWS
// Work-items: panel of TM rows, chunk of `chunk` steps, batch. dst: [batch][panel][K][ROW_PANEL].
__kernel void pack_rows(ARG(const E, a), ARG(T, dst), I M, I K, int chunk, I step_run, long a_m, long a_k, long a_run, long a_batch) {
  BIND(const E, a);
  BIND(T, dst);
  const I panel = get_global_id(0), k0 = (I)get_global_id(1) * chunk;
  const int rows = (int)min((I)TM, M - panel * TM), count = (int)min((I)chunk, K - k0);
  if (rows <= 0 || count <= 0) return;
  const I panels = (M + TM - 1) / TM;
  a += get_global_id(2) * a_batch + (long)panel * TM * a_m;
  dst += ((get_global_id(2) * panels + panel) * (long)K + k0) * ROW_PANEL;
  for (int i = 0; i < ROW_PANEL; i += VW) {
    // Lanes past TM may hold the next panel's rows: they are never used.
    const int lanes = (int)min((I)ROW_PANEL, M - panel * TM - i);
    pack_global(dst + i, ROW_PANEL, a + i * a_m, a_m, a_k, lanes, k0, count, step_run, a_run);
  }
}
#define A_PARAMS ARG(const T, a)
#define A_RUN_PARAMS long a_batch
#define A_LOCAL
#define A_BIND BIND(const T, a);
#else
#define A_PARAMS ARG(const E, a)
#define A_RUN_PARAMS I a_step_run, long a_m, long a_k, long a_run, long a_batch
#define A_LOCAL __local T *rows_a,
#define A_BIND BIND(const E, a);
#endif

#ifdef WINDOW
// The columns of b are the output places of a convolution, and its steps the taps of all channels, tap by tap: gathered from padded images, of `image` elements,
// with `channel` elements a channel, as conv.cl's pad makes them. `places` has for each tap the distance from an output's place on the grid of `width` columns
// and `plane` elements a depth; `out`: depths, rows and columns of the output.
#define B_ELEMENT T
#define B_PARAMS ARG(const int, places), int taps, long image, long channel, int4 out, int plane, int width, long b_batch
#define B_BIND BIND(const int, places);

static inline void pack_window(__local T *dst, __global const T *b, __global const int *places, int taps, long image, long channel, int4 out, int plane, int width,
                        I n, int columns, I k, int count) {
  // Rows of the output, as vectors. One may reach beyond its row, and beyond this step: what it writes there is written again, or behind the last.
  long from[TN];
  int to[TN], vectors = 0, q = n % out.z;
  n /= out.z;
  int p = n % out.y;
  n /= out.y;
  int o = n % out.x;
  n /= out.x;
  for (int j = 0; j < columns; q = 0) {
    const int run = min(out.z - q, columns - j);
    const long at = n * image + (long)o * plane + p * width + q;
    for (int i = 0; i < run; i += VW) from[vectors] = at + i, to[vectors++] = j + i;
    j += run;
    if (++p < out.y) continue;
    p = 0;
    if (++o == out.x) o = 0, ++n;
  }
  int tap = k % taps;
  for (b += k / taps * channel; count > 0; --count, dst += TN) {
    __global const T *at = b + places[2 * tap];
    if (columns < TN) VSTORE((V)(0), dst), VSTORE((V)(0), dst + VW);
    for (int i = 0; i < vectors; ++i) VSTORE(VLOAD(at + from[i]), dst + to[i]);
    if (++tap == taps) tap = 0, b += channel;
  }
}
#else
#define B_ELEMENT E
#define B_PARAMS I step_run, long b_k, long b_n, long b_batch, long b_run, long b_columns
#define B_BIND

// VW columns of b from column n on, `lanes` of them there are. A run that ends between them is packed apart from the next; then the steps have no runs.
static inline void pack_columns(__local T *dst, __global const E *b, I n, int lanes, long b_n, I column_run, long b_columns, long b_k, I k0, int count, I step_run,
                         long b_run) {
  I in_run = n % column_run;
  b += (long)(n / column_run) * b_columns;
  if (in_run + VW <= column_run || in_run + lanes <= column_run)
    return pack_local(dst, TN, b + in_run * b_n, b_n, b_k, lanes, k0, count, step_run, b_run);
  for (int lane = 0; lane < VW; in_run = 0, b += b_columns) {
    const int part = (int)min(column_run - in_run, (I)(VW - lane)), live = min(part, lanes - lane);
    for (int k = 0; k < count; ++k) {
      __global const E *from = b + in_run * b_n + (k0 + k) * b_k;
      __local T *to = dst + k * TN + lane;
      int i = 0;
      if (b_n == 1)
        for (; i + 4 <= live; i += 4) vstore4(LOAD_4(from + i), 0, to + i);
      for (; i < live; ++i) to[i] = LOAD_AT(from, i * b_n);
      for (; i < part; ++i) to[i] = 0;
    }
    lane += part;
  }
}
#endif

// A sum that is longer than KC steps is stored and read again: in d, or, where d is not T or an epilogue follows, in `partial` (rows of N) until the last.
#if defined(STORAGE) || defined(STORAGE_F16) || defined(STORAGE_BF16) || defined(EPILOGUE)
#undef PARTIAL
#define PARTIAL
#define PARTIAL_PARAMS , ARG(T, partial)
#define PARTIAL_BIND BIND(T, partial);
#define PARTIAL_DECLARE , __global T *partial, int last
#define PARTIAL_AT(offset) , partial + (offset), last
#define KEEP_1(x) \
  if (!last) {    \
    *partial = x; \
  } else
#define KEEP_V(x, i)        \
  if (!last) {              \
    VSTORE(x, partial + i); \
  } else
#else
#define PARTIAL_PARAMS
#define PARTIAL_BIND
#define PARTIAL_DECLARE
#define PARTIAL_AT(offset)
#define KEEP_1(x)
#define KEEP_V(x, i)
#define partial d
#endif

static inline void store_scalar(T value, __global E *d, __global const E *c, T alpha, T beta, int first, long m, long n PARTIAL_DECLARE EPILOGUE_DECLARE) {
  value *= alpha;
  if (!first)
    value += *partial;
  else if (beta != 0)
    value += beta * LOAD_AT(c, 0);
  KEEP_1(value) finish_1(value, d, m, n EPILOGUE_PASS);
}

static inline void store_row(V left, V right, __global E *d, __global const E *c, long c_n, T alpha, T beta, int first, long m,
                      long n PARTIAL_DECLARE EPILOGUE_DECLARE) {
  left *= alpha, right *= alpha;
  if (!first) {
    left += VLOAD(partial), right += VLOAD(partial + VW);
  } else if (beta != 0) {
    left += beta * (c_n == 1 ? LOAD_V(c) : (V)(LOAD_AT(c, 0)));
    right += beta * (c_n == 1 ? LOAD_V(c + VW) : (V)(LOAD_AT(c, 0)));
  }
  KEEP_V(left, 0) finish_v(left, d, m, n EPILOGUE_PASS);
  KEEP_V(right, VW) finish_v(right, d + VW, m, n + VW EPILOGUE_PASS);
}

// d: at column 0. in_run: where in its run the first column lies; unit: d may be stored by vectors.
static inline void compute_tile(A_SPACE const T *a, __local const T *b, int count, __global E *d, long d_m, long d_n, long d_columns, I column_run, I in_run,
                         int unit, __global const E *c, long c_m, long c_n, int rows, int columns, T alpha, T beta, int first, long m, long n,
                         long N PARTIAL_DECLARE EPILOGUE_DECLARE) {
  TILE_ZERO
  if (columns > VW) {
    for (int k = 0; k < count; ++k, a += ROW_PANEL, b += TN) TILE_STEP(a, b)
  } else {
    for (int k = 0; k < count; ++k, a += ROW_PANEL, b += TN) TILE_STEP_LEFT(a, b)
  }
  d += (n - in_run) / column_run * d_columns + in_run * d_n;
  if (unit && (!first || beta == 0 || c_n <= 1)) {
#define STORE(i) \
  if (i < rows) store_row(left##i, right##i, d + i * d_m, c + i * c_m, c_n, alpha, beta, first, m + i, n PARTIAL_AT(i * N) EPILOGUE_PASS);
    FOR_ROWS(STORE)
  } else {
    T sums[TM * TN];
#define SPILL(i) VSTORE(left##i, sums + i * TN), VSTORE(right##i, sums + i * TN + VW);
    FOR_ROWS(SPILL)
    for (int j = 0; j < columns; ++j) {
      for (int i = 0; i < rows; ++i)
        store_scalar(sums[i * TN + j], d + i * d_m, c + i * c_m + j * c_n, alpha, beta, first, m + i, n + j PARTIAL_AT(i * N + j) EPILOGUE_PASS);
      d += ++in_run == column_run ? d_columns - (column_run - 1) * d_n : d_n;
      if (in_run == column_run) in_run = 0;
    }
  }
}

// Work-items: group of `panels` panels of TN columns, group of `tiles` row tiles, batch. The panels of a group take turns with each KC steps of a, so that these
// stay in the cache for all. Local memory: panel_b of KC * TN + VW elements, rows_a of `tiles` * KC * ROW_PANEL.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(A_PARAMS, ARG(const B_ELEMENT, b), ARG(const E, c), ARG(E, d), I M, I N, I K, int KC,
                                                                  int tiles, int panels, I column_run, A_RUN_PARAMS, B_PARAMS, long c_m, long c_n, long c_batch,
                                                                  long d_m, long d_n, long d_batch, long d_columns, T alpha, T beta,
                                                                  A_LOCAL __local T *panel_b PARTIAL_PARAMS EPILOGUE_PARAMS) {
  A_BIND
  BIND(const B_ELEMENT, b);
  B_BIND
  BIND(const E, c);
  BIND(E, d);
  PARTIAL_BIND
  const I begin = (I)get_global_id(1) * tiles, end = min(begin + tiles, (M + TM - 1) / TM), first_column = (I)get_global_id(0) * panels * TN;
  const long batch = get_global_id(2);
  if (first_column >= N || begin >= end) return;
  EPILOGUE_BIND(batch)
  a += batch * a_batch;
  b += batch * b_batch;
  c += batch * c_batch;
  d += batch * d_batch;
#ifdef PARTIAL
  partial += batch * M * N;
#endif
  I k0 = 0;
  do {
    const int count = (int)min((I)KC, K - k0);
#ifdef PARTIAL
    const int last = k0 + count == K;
#endif
#ifdef LOCAL_ROWS
    // Where neighbours in memory are rows, those of a few steps are read to their end before the next: the steps lie far apart, often a page or more.
    const int few = a_m == 1 ? 16 : count;
    for (int k = 0; k < count; k += few)
      for (I i = begin; i < end; ++i)
        for (int j = 0; j < ROW_PANEL; j += VW) {
          const I m = i * TM + j;
          pack_local(rows_a + (i - begin) * (count * ROW_PANEL) + k * ROW_PANEL + j, ROW_PANEL, a + (long)m * a_m, a_m, a_k,
                     (int)min((I)TM - j, M - min(m, M)), k0 + k, min(few, count - k), a_step_run, a_run);
        }
#endif
    I n0 = first_column;
    for (int panel = 0; panel < panels && n0 < N; ++panel, n0 += TN) {
      const int columns = (int)min((I)TN, N - n0);
      const I in_run = n0 % column_run;
      const int unit = columns == TN && d_n == 1 && in_run + TN <= column_run;
#ifdef WINDOW
      pack_window(panel_b, b, places, taps, image, channel, out, plane, width, n0, columns, k0, count);
#else
      for (int j = 0; j < TN; j += VW) pack_columns(panel_b + j, b, n0 + j, columns - j, b_n, column_run, b_columns, b_k, k0, count, step_run, b_run);
#endif
      for (I i = begin; i < end; ++i) {
        const long m = (long)i * TM;
#ifdef LOCAL_ROWS
        __local const T *rows = rows_a + (i - begin) * (count * ROW_PANEL);
#else
        __global const T *rows = a + ((long)i * K + k0) * ROW_PANEL;
#endif
        compute_tile(rows, panel_b, count, d + m * d_m, d_m, d_n, d_columns, column_run, in_run, unit, c + m * c_m + n0 * c_n, c_m,
                     c_n, (int)min((long)TM, M - m), columns, alpha, beta, k0 == 0, m, n0, N PARTIAL_AT(m * N + n0) EPILOGUE_PASS);
      }
    }
    k0 += KC;
  } while (k0 < K);
}
