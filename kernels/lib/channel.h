// How the kernels of batch normalisation walk a channel: `rows` rows of `inner` elements. In a tensor with strides (channel, row, inner), element (row, i) of
// channel c lies at c * channel + space_offset(dims, row_strides, row) + i * inner_stride.
//
// One program holds one variant, and each lists what a work-item reads at once (W) and what it holds of a value that a channel has once (R):
//   CHANNEL  a work-item does a channel with vectors of 16 neighbours.       Needs inner strides of 1.    Global size: C.
//   BLOCK    a work-item does 16 neighbouring channels, a lane each.         Needs channel strides of 1.  Global size: ceil(C / 16).
//   ITEM     a work-item does a channel.                                     Any strides.                 Global size: C.
//   GROUP    GROUP work-items, COLUMNS along i, do a channel.                Any strides.                 Global size: C * GROUP.
#include "lib/arg.h"
#include "lib/compensated.h"
#include "lib/param.h"
#include "lib/space.h"

#if defined(CHANNEL) || defined(BLOCK)
#include "lib/lanes.h"
#include "lib/vector16.h"
#elif defined(GROUP)
#include "lib/group.h"
#endif

#if defined(CHANNEL)
#define W V
#define R T
#define FIRST ((I)get_global_id(0))
#define TOTAL(w) lanes_sum(w)
#define READ(p, stride, fill) load_upto((p) + i, (int)min((I)16, end - i), fill)
#define WRITE(p, stride, w) store_upto(w, (int)min((I)16, end - i), (p) + i)
#define COLUMN_STEP 16

#elif defined(BLOCK)
#define W V
#define R V
#define FIRST ((I)get_global_id(0) * 16)
#define TOTAL(w) (w)
#define READ(p, stride, fill) load_upto((p) + i * (stride), (int)min((I)16, channels - FIRST), (T)0)
#define WRITE(p, stride, w) store_upto(w, (int)min((I)16, channels - FIRST), (p) + i * (stride))

#else
#define W T
#define R T
#define READ(p, stride, fill) LOAD_AT(p, i * (stride))
#define WRITE(p, stride, w) STORE_AT(p, i * (stride), w)
#ifdef GROUP
#define FIRST ((I)get_group_id(0))
#define TOTAL(w) group_sum(scratch, w)
#define ROW_START ((int)get_local_id(0) / COLUMNS)
#define ROW_STEP (GROUP / COLUMNS)
#define COLUMN_START ((int)get_local_id(0) % COLUMNS)
#define COLUMN_STEP COLUMNS
#else
#define FIRST ((I)get_global_id(0))
#define TOTAL(w) (w)
#endif
#endif

#ifndef COLUMN_STEP
#define COLUMN_STEP 1
#endif
#ifndef COLUMN_START
#define COLUMN_START 0
#endif
#ifndef ROW_STEP
#define ROW_START 0
#define ROW_STEP 1
#endif

// The walk; `i` and `end` are what READ and WRITE use.
#define FOR_ROWS for (I row = ROW_START; row < rows; row += ROW_STEP)
#define FOR_ELEMENTS for (I end = inner, i = COLUMN_START; i < end; i += COLUMN_STEP)

// The sum over the channel.
#if defined(CHANNEL)
#define HALVES(H, N, half_sum, half_lost, sum, lost)                                                             \
  H half_sum = ONC_LOW(H, N, sum), half_lost = ONC_LOW(H, N, lost) + ONC_HIGH(H, N, lost);                       \
  ADD(H, half_sum, half_lost, ONC_HIGH(H, N, sum))
static inline T total(V sums, V losts) {
  HALVES(V8, 16, sum8, lost8, sums, losts)
  HALVES(V4, 8, sum4, lost4, sum8, lost8)
  HALVES(V2, 4, sum2, lost2, sum4, lost4)
  HALVES(T, 2, sum, lost, sum2, lost2)
  return COMPENSATED(sum, lost);
}

// Elements of a channel that are added up as they are, by lanes; such blocks are added with what rounding takes.
#define BLOCK_ELEMENTS 1024
#define FOR_BLOCKS for (I from = 0; from < inner; from += BLOCK_ELEMENTS)

// The last elements of a row, up to `end`, fewer than a vector. A row of 16 or more is read by its last vector: the lanes that the vector before has had, too,
// become fill.
static inline V rest_of(V v, int rest, T fill) {
  const V lanes = (V)(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15);
  return lanes >= (V)((T)(16 - rest)) ? v : (V)(fill);
}
#define READ_REST(p, fill) (end >= 16 ? rest_of(LOAD16((p) + end - 16), (int)(end - i), fill) : load_part((p) + i, (int)(end - i), fill))
#define SUM_TOTAL(sum, lost) total(sum, lost)
#elif defined(GROUP)
// The sum of what every item of the group stored before the last barrier. Each adds all of it up, so that no value of an item has to live
// across a barrier: pocl 3.1 loses one in batch_norm_grad otherwise.
static inline T shared_total(const local T *sums, const local T *losts) {
  T all = 0, lost = 0;
  for (int k = 0; k < GROUP; ++k) {
    ADD(T, all, lost, sums[k])
    lost += losts[k];
  }
  return COMPENSATED(all, lost);
}
#else
#define SUM_TOTAL(sum, lost) COMPENSATED(sum, lost)
#endif

// Whether this work-item stores what a channel has once.
#ifdef GROUP
#define STORES (get_local_id(0) == 0)
#else
#define STORES 1
#endif

// Values that a channel has once, in a [C] tensor of T (…_channel) or of P (…_param); `absent` where the tensor is not there.
#ifdef BLOCK
#define ONC_CHANNEL_VALUES(suffix, M, LOAD, STORE)                                                                         \
  static inline R load_##suffix(const global M *p, I first, I channels, long stride, T absent) {                           \
    V v = (V)(absent);                                                                                                     \
    T *lane = (T *)&v;                                                                                                     \
    const int n = p != 0 ? (int)min((I)16, channels - first) : 0;                                                          \
    for (int l = 0; l < n; ++l) lane[l] = LOAD(p, (first + l) * stride);                                                   \
    return v;                                                                                                              \
  }                                                                                                                        \
  static inline void store_##suffix(global M *p, I first, I channels, long stride, R v) {                                  \
    const T *lane = (const T *)&v;                                                                                         \
    const int n = p != 0 ? (int)min((I)16, channels - first) : 0;                                                          \
    for (int l = 0; l < n; ++l) STORE(p, (first + l) * stride, lane[l]);                                                   \
  }
#else
#define ONC_CHANNEL_VALUES(suffix, M, LOAD, STORE)                                                                         \
  static inline R load_##suffix(const global M *p, I first, I channels, long stride, T absent) {                           \
    return p != 0 ? LOAD(p, first * stride) : absent;                                                                      \
  }                                                                                                                        \
  static inline void store_##suffix(global M *p, I first, I channels, long stride, R v) {                                  \
    if (p != 0 && STORES) STORE(p, first * stride, v);                                                                     \
  }
#endif
#define LOAD_T(p, i) ((p)[i])
#define STORE_T(p, i, v) ((p)[i] = (v))
ONC_CHANNEL_VALUES(channel, T, LOAD_T, STORE_T)
ONC_CHANNEL_VALUES(param, P, LOAD_P, STORE_P)
