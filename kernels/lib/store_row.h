// How the depthwise variants of convolution write what they have in local memory. Needs lib/tile.h (T, E, VW) and lib/epilogue.h.

// to[i * step] = from[i], i < count. k, at: what the row begins with, to an epilogue.
static inline void store_row(__global E *to, long step, __local const T *from, int count, long k, long at EPILOGUE_DECLARE) {
  int i = 0;
  if (step == 1) {
    for (; i + VW <= count; i += VW) finish_v(VLOAD(from + i), to + i, k, at + i EPILOGUE_PASS);
#ifndef EPILOGUE
    for (; i + 4 <= count; i += 4) STORE4(to + i, vload4(0, from + i));
#endif
  }
  for (; i < count; ++i) finish_1(from[i], to + i * step, k, at + i EPILOGUE_PASS);
}
