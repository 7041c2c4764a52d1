// Copies of a tensor's rows with zeros around them, for the variants of convolution that read padded images. Needs lib/tile.h (T, E, VW).

// to[begin … stop-1] = at[i * step], zero in the rest of to[0 … width-1]. Runs that are contiguous go by vectors.
#define DEFINE_PAD_ROW(NAME, SPACE)                                                                        \
  inline void NAME(SPACE T *to, int width, __global const E *at, long step, int begin, int stop) {         \
    int i = 0;                                                                                             \
    for (; i < begin; ++i) to[i] = 0;                                                                      \
    if (step == 1) {                                                                                       \
      for (; i + VW <= stop; i += VW) VSTORE(LOAD_V(at + i), to + i);                                      \
      for (; i + 4 <= stop; i += 4) vstore4(LOAD4(at + i), 0, to + i);                                     \
      for (; i < stop; ++i) to[i] = LOAD_AT(at, i);                                                        \
    } else {                                                                                               \
      for (; i < stop; ++i) to[i] = LOAD_AT(at, i * step);                                                 \
    }                                                                                                      \
    for (; i < width; ++i) to[i] = 0;                                                                      \
  }

// Along a dim of `from` source indices, the indices [x, y) of a padded row of `width` whose source, i * stride + shift, exists.
static inline int2 padded_range(int from, int stride, int shift, int width) {
  const int begin = clamp((stride - 1 - shift) / stride, 0, width);
  return (int2)(begin, clamp((from - shift + stride - 1) / stride, begin, width));
}
