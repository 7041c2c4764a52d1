// y, x between margins (lib/pad.h). Elements are copied as bits: E is an unsigned integer of their size, and `value` holds one.
//
// One program holds one variant; both take any strides:
//   ROWS    a work-item does `per_item` rows of y's last dim. Work: rows.
//   DIRECT  a work-item does one element of y. Work: elements.
// Dims before `first` have size 1.
#include "lib/arg.h"
#include "lib/pad.h"

kernel void pad(ARG(const E, x), ARG(E, y), int mode, int first, long8 in, long8 out, long8 before, long8 xs, long8 ys, I work, I per_item,
                ulong value) {
  BIND(const E, x);
  BIND(E, y);
  const long *n_in = (const long *)&in, *n_out = (const long *)&out, *margin = (const long *)&before;
  const long *sx = (const long *)&xs, *sy = (const long *)&ys;
  const I id = (I)get_global_id(0);

#ifdef ROWS
  const I width = (I)n_in[7], out_width = (I)n_out[7], left = (I)margin[7];
  const I inside = clamp(left, (I)0, out_width), outside = clamp(left + width, inside, out_width);
  const I last = id * per_item + min(per_item, work - id * per_item);
  for (I row = id * per_item; row < last; ++row) {
    long from = 0, to = 0;
    bool blank = false;
    I rest = row;
    for (int k = 6; k >= first; --k) {
      const I o = rest % (I)n_out[k], i = pad_source(mode, o - (I)margin[k], (I)n_in[k]);
      rest /= (I)n_out[k];
      blank = blank || i < 0;
      from += i * sx[k];
      to += o * sy[k];
    }
    global E *dst = y + to;
    if (blank) {
      for (I o = 0; o < out_width; ++o) dst[o * sy[7]] = (E)value;
      continue;
    }
    const global E *src = x + from;
    for (I o = 0; o < inside; ++o) {
      const I i = pad_source(mode, o - left, width);
      dst[o * sy[7]] = i < 0 ? (E)value : src[i * sx[7]];
    }
    if (sx[7] == 1 && sy[7] == 1) {
      for (I o = inside; o < outside; ++o) dst[o] = src[o - left];
    } else {
      for (I o = inside; o < outside; ++o) dst[o * sy[7]] = src[(o - left) * sx[7]];
    }
    for (I o = outside; o < out_width; ++o) {
      const I i = pad_source(mode, o - left, width);
      dst[o * sy[7]] = i < 0 ? (E)value : src[i * sx[7]];
    }
  }

#else
  if (id >= work) return;
  long from = 0, to = 0;
  bool blank = false;
  I rest = id;
  for (int k = 7; k >= first; --k) {
    const I o = rest % (I)n_out[k], i = pad_source(mode, o - (I)margin[k], (I)n_in[k]);
    rest /= (I)n_out[k];
    blank = blank || i < 0;
    from += i * sx[k];
    to += o * sy[k];
  }
  y[to] = blank ? (E)value : x[from];
#endif
}
