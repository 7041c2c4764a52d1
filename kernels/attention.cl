// y = softmax(scale * q @ k^T + mask) @ v for each head, and the log-sum-exp of each row of scores. A row's maximum and sum are carried from block to block of
// keys, and what is summed up is scaled whenever the maximum grows (Milakov and Gimelshein 2018), so that scores exist for a block only (Rabe and Staats 2021;
// Dao et al. 2022). A row that sees nothing gives 0 and lse minus infinity. Values at hidden keys must be finite.
//
// Tensors are [batch, head, row, element]; strides in that order. head h reads group h / per_group of k and v.
//   TILE    a work-item does tiles * TM rows of a head, TN keys at a time, by register tiles.  space: see the kernel.
//   ROW     (with TILE) a work-item does one row, TN keys at a time, and packs no keys or values.   k_s.s3 = v_s.s3 = 1.  space: see the kernel.
//   GROUP   a work-group of GROUP items does one row, GROUP keys at a time.                    space: value_size + 3 * GROUP + 3.
#include "lib/attention.h"

#define PARAMS                                                                                                                                    \
  ARG(const E, q), ARG(const E, k), ARG(const E, v), ARG(E, y), ARG(T, lse), SCORE_PARAMS, long4 q_s, long4 k_s, long4 v_s, long4 y_s, long4 lse_s, I L, \
      I S, int size, int value_size, int heads, int per_group, int tiles, local T *space

#define BIND_HEAD                                                 \
  BIND(const E, q);                                               \
  BIND(const E, k);                                               \
  BIND(const E, v);                                               \
  BIND(E, y);                                                     \
  BIND(T, lse);                                                   \
  const long batch = get_global_id(2), head = get_global_id(1);   \
  const long group = head / per_group;                            \
  q += batch * q_s.s0 + head * q_s.s1;                            \
  k += batch * k_s.s0 + group * k_s.s1;                           \
  v += batch * v_s.s0 + group * v_s.s1;                           \
  y += batch * y_s.s0 + head * y_s.s1;                            \
  lse += batch * lse_s.s0 + head * lse_s.s1;                      \
  SCORES(scores, batch, head, heads, L, S);

#ifdef TILE
// Turns a row of q . k into weights relative to the row's maximum so far; `result` is the row of y as it is summed up.
static inline void soften(const Scores *scores, local T *row, I i, I j, int count, local T *top, local T *sum, local T *result, int padded) {
  V left = score_v(scores, VLOAD(row), i, j, 1, 0, count), right = score_v(scores, VLOAD(row + VW), i, j + VW, 1, 0, count - VW);
  const T before = *top, block = max_lanes(left > right ? left : right), now = block > before ? block : before, base = FINITE_BASE(now);
  const T factor = exp(before - base);
  left = exp(left - base), right = exp(right - base);
  *top = now;
  *sum = *sum * factor + sum_lanes(left + right);
  if (scores->dropout) left *= kept_v(scores, i, j, 1), right *= kept_v(scores, i, j + VW, 1);
  VSTORE(left, row);
  VSTORE(right, row + VW);
  if (factor != 1)
    for (int d = 0; d < padded; d += VW) VSTORE(VLOAD(result + d) * factor, result + d);
}

#ifdef ROW
typedef CAT(T, 4) T4;
// Lanes four apart added up, by way of memory as in sum_lanes.
static inline T4 fold_lanes(V v) {
  T lanes[VW];
  VSTORE(v, lanes);
#if VW == 16
  return (vload4(0, lanes) + vload4(2, lanes)) + (vload4(1, lanes) + vload4(3, lanes));
#else
  return vload4(0, lanes) + vload4(1, lanes);
#endif
}

// to[l] = x . row l of y, for count rows; up to TN, further ones are 0 or as the last.
static inline void dot_each(local const T *x, global const E *y, long row, int size, int count, local T *to) {
  if (count < TN) clear(to, TN);
  for (int l = 0; l < count; l += 4) {
    const int last = count - 1 - l;
    global const E *y0 = y + l * row, *y1 = y0 + min(1, last) * row, *y2 = y0 + min(2, last) * row, *y3 = y0 + min(3, last) * row;
    V s0 = 0, s1 = 0, s2 = 0, s3 = 0;
    int e = 0;
    for (; e + VW <= size; e += VW) {
      const V left = VLOAD(x + e);
      s0 = MULTIPLY_ADD(left, LOAD_V(y0 + e), s0), s1 = MULTIPLY_ADD(left, LOAD_V(y1 + e), s1);
      s2 = MULTIPLY_ADD(left, LOAD_V(y2 + e), s2), s3 = MULTIPLY_ADD(left, LOAD_V(y3 + e), s3);
    }
    const T4 a = fold_lanes(s0), b = fold_lanes(s1), c = fold_lanes(s2), d = fold_lanes(s3);
    T4 sum = (T4)(a.s0, b.s0, c.s0, d.s0) + (T4)(a.s1, b.s1, c.s1, d.s1) + (T4)(a.s2, b.s2, c.s2, d.s2) + (T4)(a.s3, b.s3, c.s3, d.s3);
    for (; e < size; ++e) sum = MULTIPLY_ADD((T4)(x[e]), (T4)(LOAD_AT(y0, e), LOAD_AT(y1, e), LOAD_AT(y2, e), LOAD_AT(y3, e)), sum);
    vstore4(sum, 0, to + l);
  }
}

// to += the sum of weights[l] * row l of y, for count rows.
static inline void add_each(local const T *weights, global const E *y, long row, int size, int count, local T *to) {
  int e = 0;
  for (; e + 4 * VW <= size; e += 4 * VW) {
    V s0 = VLOAD(to + e), s1 = VLOAD(to + e + VW), s2 = VLOAD(to + e + 2 * VW), s3 = VLOAD(to + e + 3 * VW);
    for (int l = 0; l < count; ++l) {
      global const E *from = y + l * row + e;
      s0 = tile_fma(weights[l], LOAD_V(from), s0), s1 = tile_fma(weights[l], LOAD_V(from + VW), s1);
      s2 = tile_fma(weights[l], LOAD_V(from + 2 * VW), s2), s3 = tile_fma(weights[l], LOAD_V(from + 3 * VW), s3);
    }
    VSTORE(s0, to + e), VSTORE(s1, to + e + VW), VSTORE(s2, to + e + 2 * VW), VSTORE(s3, to + e + 3 * VW);
  }
  for (; e + VW <= size; e += VW) {
    V sum = VLOAD(to + e);
    for (int l = 0; l < count; ++l) sum = tile_fma(weights[l], LOAD_V(y + l * row + e), sum);
    VSTORE(sum, to + e);
  }
  for (; e < size; ++e) {
    T sum = to[e];
    for (int l = 0; l < count; ++l) sum = MULTIPLY_ADD(weights[l], LOAD_AT(y, l * row + e), sum);
    to[e] = sum;
  }
}

// space: q PADDED(size), y PADDED(value_size), weights TN, maximum, sum.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void row(PARAMS) {
  BIND_HEAD
  const I i = get_global_id(0);
  const int of_v = PADDED(value_size);
  local T *query = space, *result = query + PADDED(size), *weights = result + of_v, *top = weights + TN, *sum = top + 1;
  copy_rows(query, q + i * q_s.s2, q_s.s2, q_s.s3, 1, 1, size);
  clear(result, of_v);
  *top = -INFINITY, *sum = 0;
  const I end = causal ? min(S, i + 1) : S;
  for (I j = 0; j < end; j += TN) {
    const int count = (int)min((I)TN, end - j);
    dot_each(query, k + j * k_s.s2, k_s.s2, size, count, weights);
    soften(&scores, weights, i, j, count, top, sum, result, of_v);
    add_each(weights, v + j * v_s.s2, v_s.s2, value_size, count, result);
  }
  store_local(result, *sum == 0 ? (T)0 : 1 / *sum, y + i * y_s.s2, y_s.s3, value_size);
  lse[i * lse_s.s2] = FINITE_BASE(*top) + log(*sum);
}

#else
// space, rows = tiles * TM: q rows * PADDED(size), k^T size * TN, v TN * PADDED(value_size), weights TM * TN, y rows * PADDED(value_size), maxima and sums rows
// each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(PARAMS) {
  BIND_HEAD
  const int all = tiles * TM, of_q = PADDED(size), of_v = PADDED(value_size);
  const I i0 = (I)get_global_id(0) * all;
  const int rows = (int)min((I)all, L - i0);
  local T *queries = space, *columns = queries + all * of_q, *values = columns + size * TN, *weights = values + TN * of_v;
  local T *results = weights + TM * TN, *tops = results + all * of_v, *sums = tops + all;
  copy_rows(queries, q + i0 * q_s.s2, q_s.s2, q_s.s3, rows, all, size);
  clear(results, all * of_v);
  for (int r = 0; r < all; ++r) tops[r] = -INFINITY, sums[r] = 0;
  const I end = causal ? min(S, i0 + rows) : S;
  for (I j = 0; j < end; j += TN) {
    const int count = (int)min((I)TN, S - j);
    copy_columns(columns, k + j * k_s.s2, k_s.s2, k_s.s3, count, size);
    copy_rows(values, v + j * v_s.s2, v_s.s2, v_s.s3, count, TN, value_size);
    for (int t = 0; t < rows; t += TM) {
      multiply(queries + t * of_q, of_q, columns, TN, size, weights, TN, 0);
      for (int r = 0; r < TM; ++r) {
        if (t + r < rows)
          soften(&scores, weights + r * TN, i0 + t + r, j, count, tops + t + r, sums + t + r, results + (t + r) * of_v, of_v);
        else
          clear(weights + r * TN, TN);
      }
      for (int d = 0; d < of_v; d += TN) multiply(weights, TN, values + d, of_v, count, results + t * of_v + d, of_v, 1);
    }
  }
  for (int r = 0; r < rows; ++r) {
    const T sum = sums[r];
    store_local(results + r * of_v, sum == 0 ? (T)0 : 1 / sum, y + (i0 + r) * y_s.s2, y_s.s3, value_size);
    lse[(i0 + r) * lse_s.s2] = FINITE_BASE(tops[r]) + log(sum);
  }
}
#endif

#else
static inline T next_top(local const T *block, T top) {
  for (int l = 0; l < GROUP; ++l) top = block[l] > top ? block[l] : top;
  return top;
}

__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void group(PARAMS) {
  BIND_HEAD
  const int me = get_local_id(0);
  const I i = get_group_id(0);
  local T *result = space, *block = result + value_size, *raw = block + GROUP, *weight = raw + GROUP, *top = weight + GROUP, *sum = top + 1, *factor = top + 2;
  for (int d = me; d < value_size; d += GROUP) result[d] = 0;
  if (me == 0) *top = -INFINITY, *sum = 0;
  const I end = causal ? min(S, i + 1) : S;
  for (I j0 = 0; j0 < end; j0 += GROUP) {
    const I j = j0 + me;
    block[me] = j < end ? score(&scores, dot_rows(q + i * q_s.s2, q_s.s3, k + j * k_s.s2, k_s.s3, size), i, j) : -INFINITY;
    barrier(CLK_LOCAL_MEM_FENCE);
    raw[me] = exp(block[me] - FINITE_BASE(next_top(block, *top)));
    weight[me] = j < end ? raw[me] * kept(&scores, i, j) : (T)0;
    barrier(CLK_LOCAL_MEM_FENCE);
    if (me == 0) {
      const T now = next_top(block, *top);
      *factor = exp(*top - FINITE_BASE(now));
      T total = *sum * *factor;
      for (int l = 0; l < GROUP; ++l) total += raw[l];
      *sum = total;
      *top = now;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const int count = (int)min((I)GROUP, end - j0);
    for (int d = me; d < value_size; d += GROUP) {
      T value = result[d] * *factor;
      for (int l = 0; l < count; ++l) value = MULTIPLY_ADD(weight[l], LOAD_AT(v, (j0 + l) * v_s.s2 + d * v_s.s3), value);
      result[d] = value;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  barrier(CLK_LOCAL_MEM_FENCE);
  const T total = *sum;
  for (int d = me; d < value_size; d += GROUP) STORE_AT(y, i * y_s.s2 + d * y_s.s3, total == 0 ? (T)0 : result[d] / total);
  if (me == 0) lse[i * lse_s.s2] = FINITE_BASE(*top) + log(total);
}
#endif
