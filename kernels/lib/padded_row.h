// Copies of a tensor's rows with zeros around them, for the variants of convolution that read padded images. Needs lib/tile.h (T, E, VW).

// Every second element; nothing beyond the last one is read. Lane by lane, which compilers join: Oclgrind crashes on .even at -O0.
static inline CAT(T, 4) seconds_4(__global const E *at) {
  const CAT(T, 4) a = LOAD4(at), b = LOAD4(at + 3);
  return (CAT(T, 4))(a.s0, a.s2, b.s1, b.s3);
}
static inline V seconds_v(__global const E *at) {
#if VW == 4
  return seconds_4(at);
#else
  const V a = LOAD_V(at), b = LOAD_V(at + VW - 1);
#if VW == 8
  return (V)(a.s0, a.s2, a.s4, a.s6, b.s1, b.s3, b.s5, b.s7);
#else
  return (V)(a.s0, a.s2, a.s4, a.s6, a.s8, a.sa, a.sc, a.se, b.s1, b.s3, b.s5, b.s7, b.s9, b.sb, b.sd, b.sf);
#endif
#endif
}

// NAME_copy: to[begin … stop-1] = at[i * step]. NAME: the same, and zero in the rest of to[0 … width-1]. A run that fills a vector ends with one that overlaps
// the vector before it, as no element beyond the run may be touched.
#define DEFINE_RUN(NAME, SPACE, STEP, GET_V, GET_4)                                                                                                  \
  static inline void NAME(SPACE T *to, __global const E *at, int count) {                                                                            \
    if (count >= VW) {                                                                                                                               \
      for (int i = 0; i < count - VW; i += VW) VSTORE(GET_V(at + i * STEP), to + i);                                                                 \
      VSTORE(GET_V(at + (count - VW) * STEP), to + count - VW);                                                                                      \
    } else if (count >= 4) {                                                                                                                         \
      for (int i = 0; i < count - 4; i += 4) vstore4(GET_4(at + i * STEP), 0, to + i);                                                               \
      vstore4(GET_4(at + (count - 4) * STEP), 0, to + count - 4);                                                                                    \
    } else {                                                                                                                                         \
      for (int i = 0; i < count; ++i) to[i] = LOAD_AT(at, i * STEP);                                                                                 \
    }                                                                                                                                                \
  }
#define DEFINE_PAD_ROW(NAME, SPACE)                                                                                                                  \
  DEFINE_RUN(NAME##_neighbours, SPACE, 1, LOAD_V, LOAD4)                                                                                             \
  DEFINE_RUN(NAME##_seconds, SPACE, 2, seconds_v, seconds_4)                                                                                         \
  static inline void NAME##_copy(SPACE T *to, __global const E *at, long step, int begin, int stop) {                                                \
    if (step == 1) {                                                                                                                                 \
      NAME##_neighbours(to + begin, at + begin, stop - begin);                                                                                       \
    } else if (step == 2) {                                                                                                                          \
      NAME##_seconds(to + begin, at + 2 * begin, stop - begin);                                                                                      \
    } else {                                                                                                                                         \
      for (int i = begin; i < stop; ++i) to[i] = LOAD_AT(at, i * step);                                                                              \
    }                                                                                                                                                \
  }                                                                                                                                                  \
  static inline void NAME(SPACE T *to, int width, __global const E *at, long step, int begin, int stop) {                                            \
    if (width >= VW) {                                                                                                                               \
      for (int i = 0; i < begin; i += VW) VSTORE((V)(0), to + min(i, width - VW));                                                                   \
      for (int i = stop; i < width; i += VW) VSTORE((V)(0), to + min(i, width - VW));                                                                \
    } else {                                                                                                                                         \
      for (int i = 0; i < begin; ++i) to[i] = 0;                                                                                                     \
      for (int i = stop; i < width; ++i) to[i] = 0;                                                                                                  \
    }                                                                                                                                                \
    NAME##_copy(to, at, step, begin, stop);                                                                                                          \
  }

// Along a dim of `from` source indices, the indices [x, y) of a padded row of `width` whose source, i * stride + shift, exists.
static inline int2 padded_range(int from, int stride, int shift, int width) {
  const int begin = clamp((stride - 1 - shift) / stride, 0, width);
  return (int2)(begin, clamp((from - shift + stride - 1) / stride, begin, width));
}
