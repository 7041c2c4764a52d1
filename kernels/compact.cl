// Positions of the true elements of mask, in chunks of `chunk`; counts has chunks + 1 entries. Between the two, radix_places (radix.cl, with RADIX 1) turns counts into
// the place of each chunk's first position, and the last entry into their number.
//
//   compact_count  counts[c] = true elements of chunk c, 0 for the last entry.                             Global size: chunks + 1.
//   compact_write  index = the positions, then n; total = their number. ma and ia: strides.                 Global size: chunks.
#include "lib/arg.h"
#include "lib/index.h"

kernel void compact_count(ARG(const uchar, mask), ARG(I, counts), I n, I chunk, I chunks, long ma) {
  BIND(const uchar, mask);
  BIND(I, counts);
  const I c = (I)get_global_id(0);
  if (c > chunks) return;
  I count = 0;
  if (c < chunks) {
    const I end = n - c * chunk < chunk ? n : (c + 1) * chunk;
    for (I i = c * chunk; i < end; ++i) count += mask[i * ma] != 0;
  }
  counts[c] = count;
}

kernel void compact_write(ARG(const uchar, mask), ARG(const I, counts), ARG(long, index), ARG(long, total), I n, I chunk, I chunks, long ma, long ia) {
  BIND(const uchar, mask);
  BIND(const I, counts);
  BIND(long, index);
  BIND(long, total);
  const I c = (I)get_global_id(0);
  if (c >= chunks) return;
  if (c == 0) total[0] = counts[chunks];
  const I begin = c * chunk, end = n - begin < chunk ? n : begin + chunk;
  I place = counts[c], behind = counts[chunks] + (begin - place);  // as many false ones lie before the chunk
  for (I i = begin; i < end; ++i) {
    if (mask[i * ma] != 0) {
      index[place * ia] = i;
      ++place;
    } else {
      index[behind * ia] = n;
      ++behind;
    }
  }
}
