// d, the gradient of x: each element sums the gradients of the elements of y that show it (lib/pad.h), in their row-major order.
//
// One program holds one variant; both take any strides and add in the same order:
//   ROWS    a work-item does `per_item` rows of d's last dim. Work: rows.
//   DIRECT  a work-item does one element of d. Work: elements.
// Dims before `first` have size 1.
#include "lib/arg.h"
#include "lib/pad.h"
#include "lib/storage.h"

// The sum over all combinations of the places along each dim.
static inline T sum_shown(const global E *g, int mode, int first, const Shown *shown, const long *sg) {
  I total = 1;
  for (int k = first; k < 8; ++k) total *= shown[k].count;
  T sum = 0;
  for (I t = 0; t < total; ++t) {
    long at = 0;
    I rest = t;
    for (int k = 7; k >= first; --k) {
      at += shown_at(mode, &shown[k], rest % shown[k].count) * sg[k];
      rest /= shown[k].count;
    }
    sum += LOAD_AT(g, at);
  }
  return sum;
}

kernel void pad_grad(ARG(const E, g), ARG(E, d), int mode, int first, long8 in, long8 out, long8 before, long8 gs, long8 ds, I work, I per_item) {
  BIND(const E, g);
  BIND(E, d);
  const long *n_in = (const long *)&in, *n_out = (const long *)&out, *margin = (const long *)&before;
  const long *sg = (const long *)&gs, *sd = (const long *)&ds;
  const I id = (I)get_global_id(0);
  Shown shown[8];

#ifdef ROWS
  const I width = (I)n_in[7], left = (I)margin[7];
  // Positions [alone, alone_end) of a row are shown once.
  const I end = (I)n_out[7] - left;
  I alone = -left, alone_end = end;
  if (mode == 1) alone = max(alone, left + 1), alone_end = min(alone_end, 2 * width - 1 - end);
  if (mode == 2) alone = max(alone, (I)1), alone_end = min(alone_end, width - 1);
  if (mode == 3) alone = max(alone, end - width), alone_end = min(alone_end, width - left);
  alone = clamp(alone, (I)0, width);
  alone_end = clamp(alone_end, alone, width);
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    long from = 0, to = 0;
    bool single = true;  // one row of y shows this one
    I rest = row;
    for (int k = 6; k >= first; --k) {
      const I c = rest % (I)n_in[k];
      rest /= (I)n_in[k];
      shown[k] = pad_shown(mode, c, (I)n_in[k], (I)n_out[k], (I)margin[k]);
      single = single && shown[k].count == 1;
      from += shown[k].at[0] * sg[k];
      to += c * sd[k];
    }
    for (I c = 0; c < width; ++c) {
      if (single && c == alone) {
        for (; c < alone_end; ++c) STORE_AT(d, to + c * sd[7], 0 + LOAD_AT(g, from + (c + left) * sg[7]));
        if (c == width) break;
      }
      shown[7] = pad_shown(mode, c, width, (I)n_out[7], left);
      T sum = 0;
      if (single) {
        for (I j = 0; j < shown[7].count; ++j) sum += LOAD_AT(g, from + shown_at(mode, &shown[7], j) * sg[7]);
      } else {
        sum = sum_shown(g, mode, first, shown, sg);
      }
      STORE_AT(d, to + c * sd[7], sum);
    }
  }

#else
  if (id >= work) return;
  long to = 0;
  I rest = id;
  for (int k = 7; k >= first; --k) {
    const I c = rest % (I)n_in[k];
    rest /= (I)n_in[k];
    shown[k] = pad_shown(mode, c, (I)n_in[k], (I)n_out[k], (I)margin[k]);
    to += c * sd[k];
  }
  STORE_AT(d, to, sum_shown(g, mode, first, shown, sg));
#endif
}
