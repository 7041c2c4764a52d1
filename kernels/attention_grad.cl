// Gradients of attention.cl. Scores are computed anew, block by block, and made weights by the forward's lse. With w the softmax, w' = w after dropout and
// delta(i) = grad_out(i) . y(i), the gradient of a score is w (dropout(grad_out . v) - delta); it goes to q by k and to k by q, and w' takes grad_out to v.
// First `delta`; then one launch owns rows of q (OWN_QUERIES), another rows of k and v (OWN_KEYS), so that sums have one order and no two work-items add to
// one element. The heads that share a group of k and v are added up in their order.
//
// Tensors, strides, TILE and GROUP as in attention.cl; delta is [batch, head, row] without gaps.
#include "lib/attention.h"

#ifdef DELTA
__kernel void delta(ARG(const E, grad_out), ARG(const E, y), ARG(T, to), long4 grad_out_s, long4 y_s, I L, int value_size) {
  BIND(const E, grad_out);
  BIND(const E, y);
  BIND(T, to);
  const I i = get_global_id(0);
  const long head = get_global_id(1), batch = get_global_id(2);
  if (i >= L) return;
  grad_out += batch * grad_out_s.s0 + head * grad_out_s.s1 + i * grad_out_s.s2;
  y += batch * y_s.s0 + head * y_s.s1 + i * y_s.s2;
  to[(batch * get_global_size(1) + head) * L + i] = dot_rows(grad_out, grad_out_s.s3, y, y_s.s3, value_size);
}
#else

#define PARAMS                                                                                                                                                 \
  ARG(const E, grad_out), ARG(const E, q), ARG(const E, k), ARG(const E, v), ARG(const T, lse), ARG(const T, delta), ARG(E, grad_q), ARG(E, grad_k), \
      ARG(E, grad_v), SCORE_PARAMS, long4 grad_out_s, long4 q_s, long4 k_s, long4 v_s, long4 lse_s, long4 grad_q_s, long4 grad_k_s, long4 grad_v_s, I L,     \
      I S, int size, int value_size, int heads, int per_group, int tiles, int to_k, int to_v, local T *space

// `of`: the head, or the group, whose rows the work-item or work-group owns.
#define BIND_ALL                                                       \
  BIND(const E, grad_out);                                             \
  BIND(const E, q);                                                    \
  BIND(const E, k);                                                    \
  BIND(const E, v);                                                    \
  BIND(const T, lse);                                                  \
  BIND(const T, delta);                                                \
  BIND(E, grad_q);                                                     \
  BIND(E, grad_k);                                                     \
  BIND(E, grad_v);                                                     \
  const long batch = get_global_id(2), of = get_global_id(1);          \
  grad_out += batch * grad_out_s.s0, q += batch * q_s.s0, k += batch * k_s.s0, v += batch * v_s.s0, lse += batch * lse_s.s0; \
  grad_q += batch * grad_q_s.s0, grad_k += batch * grad_k_s.s0, grad_v += batch * grad_v_s.s0, delta += batch * heads * (long)L;

#ifdef TILE
// A vector of scores as the softmax, relative to lse; and the gradient of its scores from that of its weights.
static inline V weights_v(V scores, V lse) { return exp(scores - (lse == (V)(-INFINITY) ? (V)(0) : lse)); }
static inline V grad_scores_v(const Scores *s, V w, V grad_w, V delta) { return w == 0 ? (V)(0) : w * (grad_w - delta) * s->scale; }
#endif

#if defined(TILE) && defined(OWN_QUERIES)
// space, rows = tiles * TM: q rows * PADDED(size), grad_out rows * PADDED(value_size), k^T size * TN, v^T value_size * TN, k TN * PADDED(size), scores and
// gradients of weights TM * TN each, grad_q rows * PADDED(size).
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(PARAMS) {
  BIND_ALL
  SCORES(scores, batch, of, heads, L, S);
  const long group = of / per_group;
  q += of * q_s.s1, grad_out += of * grad_out_s.s1, k += group * k_s.s1, v += group * v_s.s1, grad_q += of * grad_q_s.s1, lse += of * lse_s.s1;
  delta += of * L;
  const int all = tiles * TM, of_q = PADDED(size), of_v = PADDED(value_size);
  const I i0 = (I)get_global_id(0) * all;
  const int rows = (int)min((I)all, L - i0);
  local T *queries = space, *grads = queries + all * of_q, *key_columns = grads + all * of_v, *value_columns = key_columns + size * TN;
  local T *keys = value_columns + value_size * TN, *block = keys + TN * of_q, *block_grad = block + TM * TN, *results = block_grad + TM * TN;
  copy_rows(queries, q + i0 * q_s.s2, q_s.s2, q_s.s3, rows, all, size);
  copy_rows(grads, grad_out + i0 * grad_out_s.s2, grad_out_s.s2, grad_out_s.s3, rows, all, value_size);
  clear(results, all * of_q);
  const I end = causal ? min(S, i0 + rows) : S;
  for (I j = 0; j < end; j += TN) {
    const int count = (int)min((I)TN, S - j);
    copy_columns(key_columns, k + j * k_s.s2, k_s.s2, k_s.s3, count, size);
    copy_columns(value_columns, v + j * v_s.s2, v_s.s2, v_s.s3, count, value_size);
    copy_rows(keys, k + j * k_s.s2, k_s.s2, k_s.s3, count, TN, size);
    for (int t = 0; t < rows; t += TM) {
      multiply(queries + t * of_q, of_q, key_columns, TN, size, block, TN, 0);
      multiply(grads + t * of_v, of_v, value_columns, TN, value_size, block_grad, TN, 0);
      for (int r = 0; r < TM; ++r) {
        if (t + r >= rows) {
          clear(block + r * TN, TN);
          continue;
        }
        const I i = i0 + t + r;
        for (int c = 0; c < TN; c += VW) {
          local T *at = block + r * TN + c;
          const V w = weights_v(score_v(&scores, VLOAD(at), i, j + c, 1, 0, count - c), (V)(lse[i * lse_s.s2]));
          V grad_w = VLOAD(block_grad + r * TN + c);
          if (dropout) grad_w *= kept_v(&scores, i, j + c, 1);
          VSTORE(grad_scores_v(&scores, w, grad_w, (V)(delta[i])), at);
        }
      }
      for (int e = 0; e < of_q; e += TN) multiply(block, TN, keys + e, of_q, count, results + t * of_q + e, of_q, 1);
    }
  }
  for (int r = 0; r < rows; ++r) store_local(results + r * of_q, 1, grad_q + (i0 + r) * grad_q_s.s2, grad_q_s.s3, size);
}

#elif defined(TILE)
// space, rows = tiles * TM: k and grad_k rows * PADDED(size) each, v and grad_v rows * PADDED(value_size) each, q^T size * TN, grad_out^T value_size * TN,
// q TN * PADDED(size), grad_out TN * PADDED(value_size), scores and gradients of weights TM * TN each, lse and delta TN each.
__kernel __attribute__((reqd_work_group_size(1, 1, 1))) void tile(PARAMS) {
  BIND_ALL
  k += of * k_s.s1, v += of * v_s.s1, grad_k += of * grad_k_s.s1, grad_v += of * grad_v_s.s1;
  const int all = tiles * TM, of_q = PADDED(size), of_v = PADDED(value_size);
  const I j0 = (I)get_global_id(0) * all;
  const int rows = (int)min((I)all, S - j0);
  local T *keys = space, *key_results = keys + all * of_q, *values = key_results + all * of_q, *value_results = values + all * of_v;
  local T *query_columns = value_results + all * of_v, *grad_columns = query_columns + size * TN, *queries = grad_columns + value_size * TN;
  local T *grads = queries + TN * of_q, *block = grads + TN * of_v, *block_grad = block + TM * TN, *bases = block_grad + TM * TN, *deltas = bases + TN;
  copy_rows(keys, k + j0 * k_s.s2, k_s.s2, k_s.s3, rows, all, size);
  copy_rows(values, v + j0 * v_s.s2, v_s.s2, v_s.s3, rows, all, value_size);
  clear(key_results, all * of_q);
  clear(value_results, all * of_v);
  for (long head = of * per_group; head < (of + 1) * per_group; ++head) {
    SCORES(scores, batch, head, heads, L, S);
    for (I i = causal ? j0 / TN * TN : 0; i < L; i += TN) {
      const int count = (int)min((I)TN, L - i);
      global const E *q_block = q + head * q_s.s1 + i * q_s.s2, *grad_block = grad_out + head * grad_out_s.s1 + i * grad_out_s.s2;
      copy_columns(query_columns, q_block, q_s.s2, q_s.s3, count, size);
      copy_columns(grad_columns, grad_block, grad_out_s.s2, grad_out_s.s3, count, value_size);
      copy_rows(queries, q_block, q_s.s2, q_s.s3, count, TN, size);
      copy_rows(grads, grad_block, grad_out_s.s2, grad_out_s.s3, count, TN, value_size);
      for (int c = 0; c < TN; ++c) {
        bases[c] = c < count ? lse[head * lse_s.s1 + (i + c) * lse_s.s2] : (T)0;
        deltas[c] = c < count ? delta[head * L + i + c] : (T)0;
      }
      for (int t = 0; t < rows; t += TM) {
        multiply(keys + t * of_q, of_q, query_columns, TN, size, block, TN, 0);
        multiply(values + t * of_v, of_v, grad_columns, TN, value_size, block_grad, TN, 0);
        for (int r = 0; r < TM; ++r) {
          local T *at = block + r * TN, *grad_at = block_grad + r * TN;
          if (t + r >= rows) {
            clear(at, TN);
            clear(grad_at, TN);
            continue;
          }
          const I j = j0 + t + r;
          for (int c = 0; c < TN; c += VW) {
            const V w = weights_v(score_v(&scores, VLOAD(at + c), i + c, j, 0, 0, count - c), VLOAD(bases + c));
            V grad_w = VLOAD(grad_at + c), weight = w;
            if (dropout) {
              const V keeps = kept_v(&scores, i + c, j, 0);
              grad_w *= keeps, weight *= keeps;
            }
            VSTORE(grad_scores_v(&scores, w, grad_w, VLOAD(deltas + c)), at + c);
            VSTORE(weight, grad_at + c);
          }
        }
        for (int e = 0; to_k && e < of_q; e += TN) multiply(block, TN, queries + e, of_q, count, key_results + t * of_q + e, of_q, 1);
        for (int d = 0; to_v && d < of_v; d += TN) multiply(block_grad, TN, grads + d, of_v, count, value_results + t * of_v + d, of_v, 1);
      }
    }
  }
  for (int r = 0; r < rows; ++r) {
    if (to_k) store_local(key_results + r * of_q, 1, grad_k + (j0 + r) * grad_k_s.s2, grad_k_s.s3, size);
    if (to_v) store_local(value_results + r * of_v, 1, grad_v + (j0 + r) * grad_v_s.s2, grad_v_s.s3, value_size);
  }
}

#elif defined(OWN_QUERIES)
// space: size + GROUP.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void group(PARAMS) {
  BIND_ALL
  SCORES(scores, batch, of, heads, L, S);
  const int me = get_local_id(0);
  const I i = get_group_id(0);
  const long kv = of / per_group;
  q += of * q_s.s1 + i * q_s.s2, grad_out += of * grad_out_s.s1 + i * grad_out_s.s2, k += kv * k_s.s1, v += kv * v_s.s1;
  grad_q += of * grad_q_s.s1 + i * grad_q_s.s2;
  local T *result = space, *block = result + size;
  for (int e = me; e < size; e += GROUP) result[e] = 0;
  const I end = causal ? min(S, i + 1) : S;
  for (I j0 = 0; j0 < end; j0 += GROUP) {
    const I j = j0 + me;
    T g = 0;
    if (j < end) {
      const T base = lse[of * lse_s.s1 + i * lse_s.s2];
      const T w = exp(score(&scores, dot_rows(q, q_s.s3, k + j * k_s.s2, k_s.s3, size), i, j) - FINITE_BASE(base));
      const T grad_w = dot_rows(grad_out, grad_out_s.s3, v + j * v_s.s2, v_s.s3, value_size) * kept(&scores, i, j);
      g = w == 0 ? (T)0 : w * (grad_w - delta[of * L + i]) * scale;
    }
    block[me] = g;
    barrier(CLK_LOCAL_MEM_FENCE);
    const int count = (int)min((I)GROUP, end - j0);
    for (int e = me; e < size; e += GROUP) {
      T value = result[e];
      for (int l = 0; l < count; ++l) value = MULTIPLY_ADD(block[l], LOAD_AT(k, (j0 + l) * k_s.s2 + e * k_s.s3), value);
      result[e] = value;
    }
    barrier(CLK_LOCAL_MEM_FENCE);
  }
  for (int e = me; e < size; e += GROUP) STORE_AT(grad_q, e * grad_q_s.s3, result[e]);
}

#else
// space: size + value_size + 2 * GROUP.
__kernel __attribute__((reqd_work_group_size(GROUP, 1, 1))) void group(PARAMS) {
  BIND_ALL
  const int me = get_local_id(0);
  const I j = get_group_id(0);
  k += of * k_s.s1 + j * k_s.s2, v += of * v_s.s1 + j * v_s.s2, grad_k += of * grad_k_s.s1 + j * grad_k_s.s2, grad_v += of * grad_v_s.s1 + j * grad_v_s.s2;
  local T *key_result = space, *value_result = key_result + size, *block = value_result + value_size, *weight = block + GROUP;
  for (int e = me; e < size; e += GROUP) key_result[e] = 0;
  for (int d = me; d < value_size; d += GROUP) value_result[d] = 0;
  for (long head = of * per_group; head < (of + 1) * per_group; ++head) {
    SCORES(scores, batch, head, heads, L, S);
    for (I i0 = causal ? j / GROUP * GROUP : 0; i0 < L; i0 += GROUP) {
      const I i = i0 + me;
      T g = 0, kept_weight = 0;
      if (i < L) {
        const T base = lse[head * lse_s.s1 + i * lse_s.s2], keeps = kept(&scores, i, j);
        const T w = exp(score(&scores, dot_rows(q + head * q_s.s1 + i * q_s.s2, q_s.s3, k, k_s.s3, size), i, j) - FINITE_BASE(base));
        const T grad_w = dot_rows(grad_out + head * grad_out_s.s1 + i * grad_out_s.s2, grad_out_s.s3, v, v_s.s3, value_size) * keeps;
        g = w == 0 ? (T)0 : w * (grad_w - delta[head * L + i]) * scale;
        kept_weight = w * keeps;
      }
      block[me] = g;
      weight[me] = kept_weight;
      barrier(CLK_LOCAL_MEM_FENCE);
      const int count = (int)min((I)GROUP, L - i0);
      for (int e = me; to_k && e < size; e += GROUP) {
        T value = key_result[e];
        for (int l = 0; l < count; ++l) value = MULTIPLY_ADD(block[l], LOAD_AT(q, head * q_s.s1 + (i0 + l) * q_s.s2 + e * q_s.s3), value);
        key_result[e] = value;
      }
      for (int d = me; to_v && d < value_size; d += GROUP) {
        T value = value_result[d];
        for (int l = 0; l < count; ++l)
          value = MULTIPLY_ADD(weight[l], LOAD_AT(grad_out, head * grad_out_s.s1 + (i0 + l) * grad_out_s.s2 + d * grad_out_s.s3), value);
        value_result[d] = value;
      }
      barrier(CLK_LOCAL_MEM_FENCE);
    }
  }
  for (int e = me; to_k && e < size; e += GROUP) STORE_AT(grad_k, e * grad_k_s.s3, key_result[e]);
  for (int d = me; to_v && d < value_size; d += GROUP) STORE_AT(grad_v, d * grad_v_s.s3, value_result[d]);
}
#endif
#endif
