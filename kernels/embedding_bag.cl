// Sums, means (mode 1) or maxima (2) of the rows of a table that each bag lists. Bag b lists index[offset[b]] up to offset[b + 1], the last up to n; rows of
// `padding` and of no row of the table do not count. A work-item does PART neighbouring columns of one bag. Strides: ws, ys and xs hold row and column; xs of max_index.
// scale (per sample, mode 0), size and max_index may be absent. A NaN stays the maximum only where it comes first, as in PyTorch. Global size: bags * ceil(width / PART).
#include "lib/arg.h"
#include "lib/index.h"
#include "lib/storage.h"

kernel void embedding_bag(ARG(const E, weight), ARG(const long, index), ARG(const long, offset), ARG(const E, scale), ARG(E, y), ARG(long, size),
                          ARG(long, max_index), int with_scale, int with_size, int with_max, int mode, long padding, I rows, I width, I n, I bags, long2 ws, long2 ys,
                          long2 xs, long4 steps) {
  BIND(const E, weight);
  BIND(const long, index);
  BIND(const long, offset);
  BIND(const E, scale);
  BIND(E, y);
  BIND(long, size);
  BIND(long, max_index);
  const I parts = width > 0 ? (width + PART - 1) / PART : 1, bag = (I)(get_global_id(0) / parts), first = ((I)get_global_id(0) - bag * parts) * PART;
  if (bag >= bags) return;
  const int lanes = width - first < PART ? (int)(width - first) : PART;
  // steps: of index, offset, scale and size.
  const long wanted = bag + 1 < bags ? offset[(bag + 1) * steps.s1] : n, begin = offset[bag * steps.s1];
  const long end = wanted < n ? wanted : n;
  T acc[PART];
  long top[PART];
  for (int l = 0; l < PART; ++l) {
    acc[l] = 0;
    top[l] = -1;
  }
  long count = 0;
  for (long i = begin > 0 ? begin : 0; i < end; ++i) {
    const long row = index[i * steps.s0];
    if (row == padding || row < 0 || row >= rows) continue;
    ++count;
    const global E *from = weight + row * ws.x + first * ws.y;
    if (mode == 2) {
      for (int l = 0; l < lanes; ++l) {
        const T v = LOAD_AT(from, l * ws.y);
        if (top[l] >= 0 && !(v > acc[l])) continue;
        acc[l] = v;
        top[l] = row;
      }
    } else {
      T factor = 1;
      if (with_scale) factor = LOAD_AT(scale, i * steps.s2);
      if (ws.y == 1 && lanes == PART) {  // the usual case, with constant bounds
        for (int l = 0; l < PART; ++l) acc[l] += LOAD_AT(from, l) * factor;
      } else {
        for (int l = 0; l < lanes; ++l) acc[l] += LOAD_AT(from, l * ws.y) * factor;
      }
    }
  }
  for (int l = 0; l < lanes; ++l) {
    const T v = mode == 1 && count > 0 ? acc[l] / (T)count : acc[l];
    STORE_AT(y, bag * ys.x + (first + l) * ys.y, v);
    if (with_max) max_index[bag * xs.x + (first + l) * xs.y] = top[l];
  }
  if (with_size && first == 0) size[bag * steps.s3] = count;
}
