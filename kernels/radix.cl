// A stable sort of keys by their digits, the least significant first, and the order that it makes. A row of `length` keys is cut into `chunks` of `chunk`; each
// pass counts the digits of every chunk, turns the counts into places and moves the chunk's keys there, in their order. Nothing is atomic.
// K is uint or ulong; DIGIT bits a digit, RADIX = 1 << DIGIT; GROUP work-items in the group of radix_count and radix_move, one a chunk.
//
//   radix_count   counts[row][digit][chunk].                                                  Global size: rows * chunks.
//   radix_places  counts of a row become the place of the first key of each digit and chunk.  Global size: rows * SCAN, in groups of SCAN.
//   radix_move    keys and order to their places; `first`: order is 0, 1, 2 ... still.         Global size: rows * chunks.
//   rank          order of a short row: each key's place is the number of keys before it.      Global size: rows * length.
#include "lib/arg.h"
#include "lib/index.h"

kernel void radix_count(ARG(const K, keys), ARG(I, counts), int shift, I rows, I length, I chunk, I chunks) {
  BIND(const K, keys);
  BIND(I, counts);
  local I table[GROUP][RADIX];
  const size_t id = get_global_id(0);
  const I row = (I)(id / chunks), c = (I)(id - (size_t)row * chunks);
  if (row >= rows) return;
  local I *mine = table[get_local_id(0)];
  for (int d = 0; d < RADIX; ++d) mine[d] = 0;
  const I end = length - c * chunk < chunk ? length : (c + 1) * chunk;
  const global K *from = keys + (long)row * length;
  for (I i = c * chunk; i < end; ++i) ++mine[(from[i] >> shift) & (RADIX - 1)];
  global I *to = counts + (long)row * RADIX * chunks + c;
  for (int d = 0; d < RADIX; ++d) to[(long)d * chunks] = mine[d];
}

kernel void radix_places(ARG(I, counts), I chunks) {
  BIND(I, counts);
  local I sums[SCAN];
  const I total = RADIX * chunks, part = (total + SCAN - 1) / SCAN;
  const int l = (int)get_local_id(0);
  const I first = l * part < total ? l * part : total, end = total - first < part ? total : first + part;
  global I *row = counts + (long)get_group_id(0) * total;
  I sum = 0;
  for (I i = first; i < end; ++i) sum += row[i];
  sums[l] = sum;
  barrier(CLK_LOCAL_MEM_FENCE);
  I place = 0;
  for (int i = 0; i < (int)get_local_id(0); ++i) place += sums[i];
  const I begin = (int)get_local_id(0) * part < total ? (int)get_local_id(0) * part : total;
  const I stop = total - begin < part ? total : begin + part;
  global I *again = counts + (long)get_group_id(0) * total;
  for (I i = begin; i < stop; ++i) {
    const I n = again[i];
    again[i] = place;
    place += n;
  }
}

kernel void radix_move(ARG(const K, keys), ARG(const I, order), ARG(const I, counts), ARG(K, new_keys), ARG(I, new_order), int shift, int first, I rows, I length,
                       I chunk, I chunks) {
  BIND(const K, keys);
  BIND(const I, order);
  BIND(const I, counts);
  BIND(K, new_keys);
  BIND(I, new_order);
  local I table[GROUP][RADIX];
  const size_t id = get_global_id(0);
  const I row = (I)(id / chunks), c = (I)(id - (size_t)row * chunks);
  if (row >= rows) return;
  local I *place = table[get_local_id(0)];
  const global I *from_counts = counts + (long)row * RADIX * chunks + c;
  for (int d = 0; d < RADIX; ++d) place[d] = from_counts[(long)d * chunks];
  const I end = length - c * chunk < chunk ? length : (c + 1) * chunk;
  const long base = (long)row * length;
  for (I i = c * chunk; i < end; ++i) {
    const K key = keys[base + i];
    const I to = place[(key >> shift) & (RADIX - 1)]++;
    new_keys[base + to] = key;
    new_order[base + to] = first ? i : order[base + i];
  }
}

kernel void rank(ARG(const K, keys), ARG(I, order), I rows, I length) {
  BIND(const K, keys);
  BIND(I, order);
  const size_t id = get_global_id(0);
  const I row = (I)(id / length), i = (I)(id - (size_t)row * length);
  if (row >= rows) return;
  const global K *from = keys + (long)row * length;
  const K key = from[i];
  I place = 0;
  for (I j = 0; j < i; ++j) place += from[j] <= key;
  for (I j = i + 1; j < length; ++j) place += from[j] < key;
  order[(long)row * length + place] = i;
}
