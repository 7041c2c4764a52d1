// How the kernels of layer and group normalisation and of statistics walk their tensors. A slice is what has a mean of its own: `lines` lines of `inner`
// elements.
// Element (line, i) of slice s lies at space_offset(slice_dims, slice strides, s) + space_offset(line_dims, line strides, line) + i * inner stride.
//
// One program holds one variant, and each lists what a work-item reads at once (W) and what it holds of a value that a slice has once (R):
//   VECTOR  a work-item does `per_item` slices with vectors of 16 neighbours.           Needs inner strides of 1 (weights: 0 or 1 is fast, any works).
//   COLUMN  a work-item does 16 neighbouring slices, `live` of which exist, a lane each. Needs neighbours 1 apart. Not every kernel has it.
//   ITEM    a work-item does a slice.                                                   Any strides.
//   GROUP   GROUP work-items, `columns` of them along i, do a slice.                    Any strides. Global size: slices * GROUP.
#include "lib/arg.h"
#include "lib/compensated.h"
#include "lib/param.h"
#include "lib/space.h"

#if defined(VECTOR) || defined(COLUMN)
#include "lib/vector16.h"
#elif defined(GROUP)
#include "lib/group.h"
#endif

#if defined(VECTOR)
#define W V
#define R T
#define INNER_STEP 16
#define LIVE ((int)min((I)16, inner_end - i))
#define READ(p, stride) load_upto((p) + i, LIVE, (T)0)
#define WRITE(p, stride, w) store_upto(w, LIVE, (p) + i)
#define WHOLE(w) lanes_sum(w)

// The lanes of v that exist, 0 elsewhere.
static inline V only(V v, int live) {
  T *lane = (T *)&v;
  for (int l = live; l < 16; ++l) lane[l] = 0;
  return v;
}
#define ONLY(w) (LIVE == 16 ? (w) : only(w, LIVE))

// Weights of elements i … i+live-1 of a line.
static inline V load_params(const global P *p, long stride, I i, int live) {
  if (stride == 0) return (V)(LOAD_P(p, 0));
  if (stride == 1 && live == 16) return LOAD_P16(p + i);
  V v = (V)((T)0);
  T *lane = (T *)&v;
  for (int l = 0; l < live; ++l) lane[l] = LOAD_P(p, (i + l) * stride);
  return v;
}
#define READ_P(p, stride, absent) ((p) != 0 ? load_params(p, stride, i, LIVE) : (W)((T)(absent)))

// Elements of a line that are added up as they are, by lanes; such blocks are added with what rounding takes.
#define BLOCK 1024
#define FOR_BLOCKS for (I from = 0; from < inner; from += BLOCK)
#define BLOCK_END min(inner, from + BLOCK)

#elif defined(COLUMN)
#define W V
#define R V
#define READ(p, stride) load_upto((p) + i * (stride), live, (T)0)
#define WHOLE(w) (w)
#define ONLY(w) (w)
static inline V compensated_total(V sum, V lost) { return COMPENSATED(sum, lost); }

#else
#define W T
#define R T
#define READ(p, stride) LOAD_AT(p, i * (stride))
#define WRITE(p, stride, w) STORE_AT(p, i * (stride), w)
#define WHOLE(w) (w)
#define ONLY(w) (w)
#define READ_P(p, stride, absent) ((p) != 0 ? LOAD_P(p, i * (stride)) : (T)(absent))
static inline T compensated_total(T sum, T lost) { return COMPENSATED(sum, lost); }
#ifdef GROUP
#define LINE_START ((int)get_local_id(0) / columns)
#define LINE_STEP (GROUP / columns)
#define INNER_START ((int)get_local_id(0) % columns)
#define INNER_STEP columns
#endif
#endif
#ifndef LINE_STEP
#define LINE_START 0
#define LINE_STEP 1
#define INNER_START 0
#endif
#ifndef INNER_STEP
#define INNER_STEP 1
#endif

// The slices of a work-item or work-group, and one of them by the loop `for (I slice ...)`.
#ifdef GROUP
#define FIRST_SLICE ((I)get_group_id(0))
#define STORES (get_local_id(0) == 0)
#else
#define FIRST_SLICE ((I)get_global_id(0) * per_item)
#define STORES 1
#endif
#define FOR_SLICES for (I slice = FIRST_SLICE, last_ = min(slices, FIRST_SLICE + per_item); slice < last_; ++slice)

// The walk over part of a slice; `i`, `inner_end` and `line` are what READ and WRITE use.
#define FOR_LINES for (I line = LINE_START; line < lines; line += LINE_STEP)
#define FOR_INNER for (I inner_end = inner, i = INNER_START; i < inner_end; i += INNER_STEP)
