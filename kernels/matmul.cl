// d = alpha * a @ b + beta * c and then the epilogue, one entry point a variant or two; the host compiles only the one it chose (ROWS, PANEL, SPLIT, JOIN,
// LOCAL or DIRECT); matmul_tile.cl has another variant. Strides are in elements and may be anything. Elements are E, sums T: float for halves, unsigned for integers. With
// beta == 0, c is not read; c may be d. Sums run in one fixed order.
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/multiply_add.h"
#include "lib/storage.h"
#if defined(ROWS) || defined(PANEL) || defined(SPLIT)
#include "lib/tile.h"
#endif
#include "lib/epilogue.h"

// The variants that take the operands as they are.
#define OPERANDS                                                                                                                       \
  ARG(const E, a), ARG(const E, b), ARG(const E, c), ARG(E, d), I M, I N, I K, long a_m, long a_k, long a_batch, long b_k, long b_n, \
      long b_batch, long c_m, long c_n, long c_batch, long d_m, long d_n, long d_batch, T alpha, T beta EPILOGUE_PARAMS
#define BIND_OPERANDS \
  BIND(const E, a);   \
  BIND(const E, b);   \
  BIND(const E, c);   \
  BIND(E, d);

#if defined(ROWS) || defined(PANEL)
// Rows past the last repeat it, and are not stored.
#define ROW_START(i) __global const E *a##i = a + min(i, rows - 1) * a_m;

// One vector of a row of d. Lanes before `from` are another work-item's.
static inline void store_lanes(V value, int from, __global E *d, long d_n, __global const E *c, long c_n, T alpha, T beta, long m, long n EPILOGUE_DECLARE) {
  value *= alpha;
  if (from <= 0 && d_n == 1 && (beta == 0 || c_n <= 1)) {
    if (beta != 0) value += beta * (c_n == 1 ? LOAD_V(c) : (V)(LOAD_AT(c, 0)));
    finish_v(value, d, m, n EPILOGUE_PASS);
  } else {
    T lanes[VW];
    VSTORE(value, lanes);
    for (int j = max(from, 0); j < VW; ++j) {
      T one = lanes[j];
      if (beta != 0) one += beta * LOAD_AT(c, j * c_n);
      finish_1(one, d + j * d_n, m, n + j EPILOGUE_PASS);
    }
  }
}

static inline void store_sums(const T *sums, int width, __global E *d, long d_m, long d_n, __global const E *c, long c_m, long c_n, int rows, int columns, T alpha,
                       T beta, long m, long n EPILOGUE_DECLARE) {
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) {
      T value = alpha * sums[i * width + j];
      if (beta != 0) value += beta * LOAD_AT(c, i * c_m + j * c_n);
      finish_1(value, d + i * d_m + j * d_n, m + i, n + j EPILOGUE_PASS);
    }
}
#endif

#ifdef ROWS
// For products with few rows (or, transposed, few columns), which read b once and have nothing to gain from packing it: a work-item computes TM rows of a few
// columns straight from the operands. `across` needs unit stride along the rows of b, `along` unit strides along K.
#define ROW_ZERO(i) V sum##i##0 = (V)(0), sum##i##1 = (V)(0), sum##i##2 = (V)(0), sum##i##3 = (V)(0);

// Work-items: 4 * VW columns, TM rows, batch. The last block of columns begins earlier where it would pass the end, and stores only what is its own.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void across(OPERANDS) {
  BIND_OPERANDS
  const I begin = (I)get_global_id(0) * (4 * VW), m = (I)get_global_id(1) * TM, n = N >= 4 * VW ? min(begin, N - 4 * VW) : begin;
  const long batch = get_global_id(2);
  EPILOGUE_BIND(batch)
  const int rows = (int)min((I)TM, M - m), columns = (int)min((I)(4 * VW), N - n), shared = (int)(begin - n);
  a += batch * a_batch + m * a_m;
  b += batch * b_batch + n;
  c += batch * c_batch + m * c_m + n * c_n;
  d += batch * d_batch + m * d_m + n * d_n;
  if (columns == 4 * VW) {
    FOR_ROWS(ROW_START)
    FOR_ROWS(ROW_ZERO)
    for (I k = 0; k < K; ++k, b += b_k) {
      const V b0 = LOAD_V(b), b1 = LOAD_V(b + VW), b2 = LOAD_V(b + 2 * VW), b3 = LOAD_V(b + 3 * VW);
#define ACROSS(i)                                                                                     \
  {                                                                                                   \
    const T value = LOAD_AT(a##i, k * a_k);                                                           \
    sum##i##0 = tile_fma(value, b0, sum##i##0), sum##i##1 = tile_fma(value, b1, sum##i##1);           \
    sum##i##2 = tile_fma(value, b2, sum##i##2), sum##i##3 = tile_fma(value, b3, sum##i##3);           \
  }
      FOR_ROWS(ACROSS)
    }
#define LANES(i, j)                                                                                                                            \
  if (shared < (j + 1) * VW)                                                                                                                   \
    store_lanes(sum##i##j, shared - j * VW, d + i * d_m + j * VW * d_n, d_n, c + i * c_m + j * VW * c_n, c_n, alpha, beta, m + i, n + j * VW EPILOGUE_PASS);
#define STORE_ACROSS(i) \
  if (i < rows) {       \
    LANES(i, 0)         \
    LANES(i, 1)         \
    LANES(i, 2)         \
    LANES(i, 3)         \
  }
    FOR_ROWS(STORE_ACROSS)
  } else {
    T sums[TM * 4 * VW];
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j) {
        T sum = 0;
        for (I k = 0; k < K; ++k) sum = MULTIPLY_ADD(LOAD_AT(a, i * a_m + k * a_k), LOAD_AT(b, k * b_k + j), sum);
        sums[i * 4 * VW + j] = sum;
      }
    store_sums(sums, 4 * VW, d, d_m, d_n, c, c_m, c_n, rows, columns, alpha, beta, m, n EPILOGUE_PASS);
  }
}

// Work-items: 4 columns, TM rows, batch.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void along(OPERANDS) {
  BIND_OPERANDS
  const I n = (I)get_global_id(0) * 4, m = (I)get_global_id(1) * TM;
  const long batch = get_global_id(2);
  EPILOGUE_BIND(batch)
  const int rows = (int)min((I)TM, M - m), columns = (int)min((I)4, N - n);
  a += batch * a_batch + m * a_m;
  b += batch * b_batch + n * b_n;
  T sums[TM * 4];
  FOR_ROWS(ROW_START)
  FOR_ROWS(ROW_ZERO)
  const long column1 = min(1, columns - 1) * b_n, column2 = min(2, columns - 1) * b_n, column3 = min(3, columns - 1) * b_n;
  I k = 0;
  for (; k + VW <= K; k += VW) {
    const V b0 = LOAD_V(b + k), b1 = LOAD_V(b + column1 + k), b2 = LOAD_V(b + column2 + k), b3 = LOAD_V(b + column3 + k);
#define ALONG(i)                                                                                      \
  {                                                                                                   \
    const V value = LOAD_V(a##i + k);                                                                 \
    sum##i##0 = MULTIPLY_ADD(value, b0, sum##i##0), sum##i##1 = MULTIPLY_ADD(value, b1, sum##i##1);   \
    sum##i##2 = MULTIPLY_ADD(value, b2, sum##i##2), sum##i##3 = MULTIPLY_ADD(value, b3, sum##i##3);   \
  }
    FOR_ROWS(ALONG)
  }
#define SPILL_ALONG(i)                                                                                \
  sums[i * 4] = sum_lanes(sum##i##0), sums[i * 4 + 1] = sum_lanes(sum##i##1);                         \
  sums[i * 4 + 2] = sum_lanes(sum##i##2), sums[i * 4 + 3] = sum_lanes(sum##i##3);
  FOR_ROWS(SPILL_ALONG)
  for (; k < K; ++k)
    for (int i = 0; i < rows; ++i)
      for (int j = 0; j < columns; ++j) sums[i * 4 + j] = MULTIPLY_ADD(LOAD_AT(a, i * a_m + k), LOAD_AT(b, j * b_n + k), sums[i * 4 + j]);
  store_sums(sums, 4, d + batch * d_batch + m * d_m + n * d_n, d_m, d_n, c + batch * c_batch + m * c_m + n * c_n, c_m, c_n, rows, columns, alpha, beta, m,
             n EPILOGUE_PASS);
}
#endif

#if defined(PANEL) || defined(SPLIT)
// The sum of TM rows by VW columns straight from the operands. Needs unit stride along the rows of b; it is fastest with unit stride along the columns of a, too.
#define SPLIT_ZERO(i) V sum##i = (V)(0);
#define SPLIT_UNIT(i) sum##i = tile_fma(LOAD_AT(left, i), right, sum##i);
#define SPLIT_ANY(i) sum##i = tile_fma(LOAD_AT(left, min(i, rows - 1) * a_m), right, sum##i);
#define SPLIT_SPILL(i) VSTORE(sum##i, sums + i * VW);

static inline void add_products(T *sums, __global const E *left, __global const E *b, long a_m, long a_k, long b_k, int rows, int columns, I count) {
  FOR_ROWS(SPLIT_ZERO)
  if (columns == VW && rows == TM && a_m == 1) {
    for (I k = 0; k < count; ++k, left += a_k, b += b_k) {
      const V right = LOAD_V(b);
      FOR_ROWS(SPLIT_UNIT)
    }
  } else if (columns == VW) {
    for (I k = 0; k < count; ++k, left += a_k, b += b_k) {
      const V right = LOAD_V(b);
      // Rows past the last repeat it, and are not stored.
      FOR_ROWS(SPLIT_ANY)
    }
  } else {
    T lanes[VW];
    for (int j = 0; j < VW; ++j) lanes[j] = 0;
    for (I k = 0; k < count; ++k, left += a_k, b += b_k) {
      for (int j = 0; j < columns; ++j) lanes[j] = LOAD_AT(b, j);
      const V right = VLOAD(lanes);
      FOR_ROWS(SPLIT_ANY)
    }
  }
  FOR_ROWS(SPLIT_SPILL)
}
#endif

#ifdef PANEL
// For small products, in one launch: a work-item does TM rows by two vectors of columns at a time straight from the operands, and as many rows as are in its
// share. A vector that would pass the end of a row begins earlier, and stores only what is its own.
#define PANEL_LEFT(i) left##i = tile_fma(LOAD_AT(a##i, at), b0, left##i);
#define PANEL_BOTH(i)                                                                 \
  {                                                                                   \
    const T value = LOAD_AT(a##i, at);                                                \
    left##i = tile_fma(value, b0, left##i), right##i = tile_fma(value, b1, right##i); \
  }
#define PANEL_STORE(i)                                                                                                                               \
  if (i < rows) {                                                                                                                                    \
    store_lanes(left##i, (int)(n0 - l), d + (m + i) * d_m + l * d_n, d_n, c + (m + i) * c_m + l * c_n, c_n, alpha, beta, m + i, l EPILOGUE_PASS);    \
    if (n1 < N)                                                                                                                                      \
      store_lanes(right##i, (int)(n1 - r), d + (m + i) * d_m + r * d_n, d_n, c + (m + i) * c_m + r * c_n, c_n, alpha, beta, m + i, r EPILOGUE_PASS); \
  }

// Work-items: TN columns, an equal share of the tiles of TM rows, batch.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void panel(OPERANDS) {
  BIND_OPERANDS
  const I tiles = (M + TM - 1) / TM, share = (tiles + (I)get_global_size(1) - 1) / (I)get_global_size(1), begin = (I)get_global_id(1) * share * TM;
  const I end = min(M, begin + share * TM), n0 = (I)get_global_id(0) * TN, n1 = n0 + VW, l = min(n0, N - VW), r = min(n1, N - VW);
  const long batch = get_global_id(2);
  EPILOGUE_BIND(batch)
  a += batch * a_batch + begin * a_m;
  b += batch * b_batch;
  c += batch * c_batch;
  d += batch * d_batch;
  for (I m = begin; m < end; m += TM, a += TM * a_m) {
    const int rows = (int)min((I)TM, end - m);
    if (N < VW) {
      T sums[TM * VW];
      add_products(sums, a, b, a_m, a_k, b_k, rows, (int)N, K);
      store_sums(sums, VW, d + m * d_m, d_m, d_n, c + m * c_m, c_m, c_n, rows, (int)N, alpha, beta, m, 0 EPILOGUE_PASS);
      continue;
    }
    FOR_ROWS(ROW_START)
    TILE_ZERO
    __global const E *from = b;
    long at = 0;
    if (n1 < N) {
      for (I k = 0; k < K; ++k, from += b_k, at += a_k) {
        const V b0 = LOAD_V(from + l), b1 = LOAD_V(from + r);
        FOR_ROWS(PANEL_BOTH)
      }
    } else {
      for (I k = 0; k < K; ++k, from += b_k, at += a_k) {
        const V b0 = LOAD_V(from + l);
        FOR_ROWS(PANEL_LEFT)
      }
    }
    FOR_ROWS(PANEL_STORE)
  }
}
#endif

#ifdef SPLIT
// For long sums of few results: a work-item adds up `steps` products of TM rows and VW columns, and join adds the parts.
// Work-items: part of the sum; panel of TM rows (inner) and of VW columns; batch. partial: [batch][part][M][N].
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void split(ARG(const E, a), ARG(const E, b), ARG(T, partial), I M, I N, I K, int steps, long a_m,
                                                                   long a_k, long a_batch, long b_k, long b_batch) {
  BIND(const E, a);
  BIND(const E, b);
  BIND(T, partial);
  const I row_panels = (M + TM - 1) / TM, part = get_global_id(0), place = get_global_id(1), column_panel = place / row_panels;
  const I m = (place - column_panel * row_panels) * TM, n = column_panel * VW, k0 = part * steps;
  const long batch = get_global_id(2);
  const int rows = (int)min((I)TM, M - m), columns = (int)min((I)VW, N - n);
  T sums[TM * VW];
  add_products(sums, a + batch * a_batch + m * a_m + k0 * a_k, b + batch * b_batch + k0 * b_k + n, a_m, a_k, b_k, rows, columns, min((I)steps, K - k0));
  partial += ((batch * get_global_size(0) + part) * M + m) * N + n;
  for (int i = 0; i < rows; ++i)
    for (int j = 0; j < columns; ++j) partial[i * (long)N + j] = sums[i * VW + j];
}
#endif

#ifdef JOIN
// The parts of split in order, one work-item an element: (n, m, batch); rows beyond the launch in turn.
__kernel void join(ARG(const T, partial), ARG(const E, c), ARG(E, d), I M, I N, I parts, long c_m, long c_n, long c_batch, long d_m, long d_n, long d_batch,
                   T alpha, T beta EPILOGUE_PARAMS) {
  BIND(const T, partial);
  BIND(const E, c);
  BIND(E, d);
  const I n = get_global_id(0);
  const long batch = get_global_id(2);
  if (n >= N) return;
  EPILOGUE_BIND(batch)
  for (I m = get_global_id(1); m < M; m += (I)get_global_size(1)) {
    __global const T *from = partial + (batch * parts * M + m) * N + n;
    T sum = 0;
    for (I part = 0; part < parts; ++part) sum += from[part * (long)M * N];
    T value = alpha * sum;
    if (beta != 0) value += beta * LOAD_AT(c, batch * c_batch + m * c_m + n * c_n);
    finish_1(value, d + batch * d_batch + m * d_m + n * d_n, m, n EPILOGUE_PASS);
  }
}
#endif

#ifdef LOCAL
// For GPU-class devices: a work-group of GROUP x GROUP items computes a square of GROUP * ITEM, staged through local memory KB steps at a time; each item
// holds ITEM x ITEM sums, GROUP apart, so that neighbours read neighbouring words.
#define SIDE (GROUP * ITEM)
__kernel __attribute__((reqd_work_group_size(GROUP, GROUP, 1))) void local_tile(OPERANDS) {
  BIND_OPERANDS
  __local T panel_a[KB * SIDE], panel_b[KB * SIDE];
  const int x = get_local_id(0), y = get_local_id(1);
  const long batch = get_global_id(2);
  const I n0 = (I)get_group_id(0) * SIDE, m0 = (I)get_group_id(1) * SIDE;
  EPILOGUE_BIND(batch)
  a += batch * a_batch;
  b += batch * b_batch;
  T sum[ITEM][ITEM];
  for (int i = 0; i < ITEM; ++i)
    for (int j = 0; j < ITEM; ++j) sum[i][j] = 0;
  for (I k0 = 0; k0 < K; k0 += KB) {
    for (int e = y * GROUP + x; e < KB * SIDE; e += GROUP * GROUP) {
      // Walk each operand along its contiguous direction, so that the loads of a work-group are neighbours.
      const int ka = a_k == 1 ? e % KB : e / SIDE, ma = a_k == 1 ? e / KB : e % SIDE;
      panel_a[ka * SIDE + ma] = m0 + ma < M && k0 + ka < K ? LOAD_AT(a, (m0 + ma) * a_m + (k0 + ka) * a_k) : (T)0;
      const int kb = b_k == 1 ? e % KB : e / SIDE, nb = b_k == 1 ? e / KB : e % SIDE;
      panel_b[kb * SIDE + nb] = n0 + nb < N && k0 + kb < K ? LOAD_AT(b, (k0 + kb) * b_k + (n0 + nb) * b_n) : (T)0;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = 0; k < KB; ++k) {
      T left[ITEM], right[ITEM];
      for (int i = 0; i < ITEM; ++i) left[i] = panel_a[k * SIDE + i * GROUP + y], right[i] = panel_b[k * SIDE + i * GROUP + x];
      for (int i = 0; i < ITEM; ++i)
        for (int j = 0; j < ITEM; ++j) sum[i][j] = MULTIPLY_ADD(left[i], right[j], sum[i][j]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int i = 0; i < ITEM; ++i)
    for (int j = 0; j < ITEM; ++j) {
      const I m = m0 + i * GROUP + y, n = n0 + j * GROUP + x;
      if (m < M && n < N) {
        T value = alpha * sum[i][j];
        if (beta != 0) value += beta * LOAD_AT(c, batch * c_batch + m * c_m + n * c_n);
        finish_1(value, d + batch * d_batch + m * d_m + n * d_n, m, n EPILOGUE_PASS);
      }
    }
}
#endif

#ifdef DIRECT
// For shapes too small or too thin for a tile: one work-item an element, (n, m, batch); rows beyond the launch in turn.
__kernel void direct(OPERANDS) {
  BIND_OPERANDS
  const I n = get_global_id(0);
  const long batch = get_global_id(2);
  if (n >= N) return;
  EPILOGUE_BIND(batch)
  for (I m = get_global_id(1); m < M; m += (I)get_global_size(1)) {
    __global const E *left = a + batch * a_batch + m * a_m, *right = b + batch * b_batch + n * b_n;
    // Four partial sums hide the latency of the addition.
    T s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    I k = 0;
    for (; k + 4 <= K; k += 4) {
      s0 = MULTIPLY_ADD(LOAD_AT(left, 0), LOAD_AT(right, 0), s0);
      s1 = MULTIPLY_ADD(LOAD_AT(left, a_k), LOAD_AT(right, b_k), s1);
      s2 = MULTIPLY_ADD(LOAD_AT(left, 2 * a_k), LOAD_AT(right, 2 * b_k), s2);
      s3 = MULTIPLY_ADD(LOAD_AT(left, 3 * a_k), LOAD_AT(right, 3 * b_k), s3);
      left += 4 * a_k, right += 4 * b_k;
    }
    for (; k < K; ++k, left += a_k, right += b_k) s0 = MULTIPLY_ADD(LOAD_AT(left, 0), LOAD_AT(right, 0), s0);
    T value = alpha * ((s0 + s1) + (s2 + s3));
    if (beta != 0) value += beta * LOAD_AT(c, batch * c_batch + m * c_m + n * c_n);
    finish_1(value, d + batch * d_batch + m * d_m + n * d_n, m, n EPILOGUE_PASS);
  }
}
#endif
