// The register tile that matrix products and convolutions share: TM rows by two vectors of VW columns, held in named variables so that a compiler keeps
// them in registers at the full vector width. Panels of the left operand have ROW_PANEL rows (TM used), of the right one TN columns.
// Needs T (float or double; unsigned for integers, so that sums wrap), VW (its vector width) and TM (at most ROW_PANEL). Tensors hold E (lib/storage.h),
// panels T.
#include "lib/storage.h"

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
typedef CAT(T, VW) V;
#define VLOAD(p) CAT(vload, VW)(0, p)
#define VSTORE(v, p) CAT(vstore, VW)(v, 0, p)
#ifdef STORAGE
#define LOAD_V(p) CAT(convert_, CAT(T, VW))(CAT(vload, VW)(0, p))
#define STORE_V(p, v) CAT(vstore, VW)(CAT(convert_, CAT(STORAGE, VW))(v), 0, p)
#define LOAD_4(p) CAT(convert_, CAT(T, 4))(vload4(0, p))
#else
#define LOAD_4(p) LOAD4(p)
#define LOAD_V(p) CAT(LOAD, VW)(p)
#define STORE_V(p, v) CAT(STORE, VW)(p, v)
#endif
#include "lib/multiply_add.h"
#define TN (2 * VW)
#ifndef ROW_PANEL
#define ROW_PANEL 16
#endif

#define REPEAT_1(X) X(0)
#define REPEAT_2(X) REPEAT_1(X) X(1)
#define REPEAT_3(X) REPEAT_2(X) X(2)
#define REPEAT_4(X) REPEAT_3(X) X(3)
#define REPEAT_5(X) REPEAT_4(X) X(4)
#define REPEAT_6(X) REPEAT_5(X) X(5)
#define REPEAT_7(X) REPEAT_6(X) X(6)
#define REPEAT_8(X) REPEAT_7(X) X(7)
#define REPEAT_9(X) REPEAT_8(X) X(8)
#define REPEAT_10(X) REPEAT_9(X) X(9)
#define REPEAT_11(X) REPEAT_10(X) X(10)
#define REPEAT_12(X) REPEAT_11(X) X(11)
#define REPEAT_13(X) REPEAT_12(X) X(12)
#define REPEAT_14(X) REPEAT_13(X) X(13)
#define REPEAT_15(X) REPEAT_14(X) X(14)
#define REPEAT_16(X) REPEAT_15(X) X(15)
#define FOR_ROWS(X) CAT(REPEAT_, TM)(X)

// Where the left operand's panels lie.
#ifndef A_SPACE
#define A_SPACE __global
#endif
#define TILE_ZERO_ROW(i) V left##i = (V)(0), right##i = (V)(0);
#define TILE_ZERO FOR_ROWS(TILE_ZERO_ROW)

// One step of the common dimension: a has TM scalars, b TN. tile_fma takes vectors by value, which is what makes the compiler accept the full width.
static inline V tile_fma(T a, V b, V sum) { return MULTIPLY_ADD((V)(a), b, sum); }
#define TILE_STEP_ROW(i) left##i = tile_fma(tile_a[i], tile_b0, left##i), right##i = tile_fma(tile_a[i], tile_b1, right##i);
#define TILE_STEP(a, b)                                            \
  {                                                                \
    const V tile_b0 = VLOAD(b), tile_b1 = VLOAD((b) + VW);         \
    A_SPACE const T *tile_a = (a);                                 \
    FOR_ROWS(TILE_STEP_ROW)                                        \
  }

// The same for a tile of which only the left vector is wanted.
#define TILE_STEP_ROW_LEFT(i) left##i = tile_fma(tile_a[i], tile_b0, left##i);
#define TILE_STEP_LEFT(a, b)                                       \
  {                                                                \
    const V tile_b0 = VLOAD(b);                                    \
    A_SPACE const T *tile_a = (a);                                 \
    FOR_ROWS(TILE_STEP_ROW_LEFT)                                   \
  }

// Halves are added until one lane is left. By way of memory, which a compiler removes where no loop walks it: Oclgrind takes what .lo and .hi give for
// uninitialised.
static inline T sum_lanes(V v) {
  T lanes[VW];
  VSTORE(v, lanes);
#if VW == 16
  vstore8(vload8(0, lanes) + vload8(1, lanes), 0, lanes);
#endif
  vstore4(vload4(0, lanes) + vload4(1, lanes), 0, lanes);
  vstore2(vload2(0, lanes) + vload2(1, lanes), 0, lanes);
  return lanes[0] + lanes[1];
}

// VW x VW transposition in registers. Each round of even/odd selection rotates the bits of (row, lane) by one place.
#if VW == 16
#define TRANSPOSE_ROUNDS 4
#else
#define TRANSPOSE_ROUNDS 3
#endif

// Writes dst[k * dst_step + lane] = src[lane * lane_stride + k * k_stride] for VW lanes and count steps; lanes from `lanes` on are zero.
#define DEFINE_PACK_LANES(NAME, SPACE)                                                                                          \
  static inline void NAME(SPACE T *dst, int dst_step, __global const E *src, long lane_stride, long k_stride, int lanes, int count) { \
    int k = 0;                                                                                                                  \
    if (lanes <= 0) {                                                                                                           \
      for (; k < count; ++k) VSTORE((V)(0), dst + k * dst_step);                                                                \
    } else if (lanes >= VW && lane_stride == 1) {                                                                               \
      for (; k < count; ++k) VSTORE(LOAD_V(src + k * k_stride), dst + k * dst_step);                                            \
    } else if (lane_stride == 1) {                                                                                              \
      for (; k < count; ++k) {                                                                                                  \
        int i = 0;                                                                                                              \
        for (; i + 4 <= lanes; i += 4) vstore4(LOAD_4(src + i + k * k_stride), 0, dst + i + k * dst_step);                       \
        for (; i < VW; ++i) dst[i + k * dst_step] = i < lanes ? LOAD_AT(src, i + k * k_stride) : (T)0;                          \
      }                                                                                                                         \
    } else if (k_stride == 1 && count >= VW) {                                                                                  \
      /* The last steps are packed together with some before them. */                                                           \
      for (; k < count; k += VW) {                                                                                              \
        V r[VW], s[VW];                                                                                                         \
        k = min(k, count - VW);                                                                                                 \
        _Pragma("unroll") for (int i = 0; i < VW; ++i) r[i] = i < lanes ? LOAD_V(src + i * lane_stride + k) : (V)(0);           \
        _Pragma("unroll") for (int round = 0; round < TRANSPOSE_ROUNDS; ++round) {                                              \
          _Pragma("unroll") for (int i = 0; i < VW / 2; ++i) {                                                                  \
            s[i] = (V)(r[2 * i].even, r[2 * i + 1].even);                                                                       \
            s[i + VW / 2] = (V)(r[2 * i].odd, r[2 * i + 1].odd);                                                                \
          }                                                                                                                     \
          _Pragma("unroll") for (int i = 0; i < VW; ++i) r[i] = s[i];                                                           \
        }                                                                                                                       \
        _Pragma("unroll") for (int i = 0; i < VW; ++i) VSTORE(r[i], dst + (k + i) * dst_step);                                  \
      }                                                                                                                         \
    }                                                                                                                           \
    for (; k < count; ++k)                                                                                                      \
      for (int i = 0; i < VW; ++i) dst[k * dst_step + i] = i < lanes ? LOAD_AT(src, i * lane_stride + k * k_stride) : (T)0;     \
  }
