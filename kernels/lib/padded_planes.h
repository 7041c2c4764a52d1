// The padded planes of one channel and depth in local memory, as conv.cl's pad lays them out. Needs lib/tile.h (T, E, VW).
#include "lib/padded_row.h"

DEFINE_PAD_ROW(pad_row, __local)

// From row and column `first` of each plane on; pairs are (row, column), size that of a plane.
static inline void fill(__local T *to, __global const E *src, long row_stride, long column_stride, int2 from, int2 before, int2 stride, int2 size, int2 first) {
  for (int plane = 0; plane < stride.x * stride.y; ++plane) {
    const int2 shift = (int2)(plane / stride.y, plane % stride.y) + first * stride - before;
    const int2 columns = padded_range(from.y, stride.y, shift.y, size.y);
    for (int row = 0; row < size.x; ++row, to += size.y) {
      const int h = row * stride.x + shift.x;
      const bool inside = h >= 0 && h < from.x;
      __global const E *at = src + (inside ? h * row_stride + shift.y * column_stride : 0);
      pad_row(to, size.y, at, stride.y * column_stride, inside ? columns.x : 0, inside ? columns.y : 0);
    }
  }
}
