// Loads and stores of N neighbouring (_c) or equally spaced (_s) elements, of which the first `live` exist; 1 <= live <= N. Nothing beyond them is
// read or written, and lanes beyond them read as 0. The generated text asks for those that it uses.
//
// A vector is loaded and stored as the member of a packed structure, which any address suits: pocl 3.1 takes vload16 and vstore16 of narrow elements apart.
// Tails are copies, so that the vector itself stays in registers. Every second element comes from two loads within the elements' range.

#define ONC_PACKED(T, N) typedef struct __attribute__((packed)) { T##N v; } onc_packed_##T##N;

#define ONC_LOAD(T, N)                                                            \
  static inline T##N onc_load_c_##T##N(const global T *p, int live) {             \
    if (live == N) return ((const global onc_packed_##T##N *)p)->v;               \
    T##N v = 0;                                                                   \
    for (int l = 0; l < live; ++l) ((T *)&v)[l] = p[l];                           \
    return v;                                                                     \
  }                                                                               \
  static inline T##N onc_load_s_##T##N(const global T *p, I stride, int live) {   \
    if (live == N && stride == 2)                                                 \
      return (T##N)(vload##N(0, p).even, vload##N(0, p + N - 1).odd);             \
    T##N v = 0;                                                                   \
    if (live == N) {                                                              \
      for (int l = 0; l < N; ++l) ((T *)&v)[l] = p[l * stride];                   \
    } else {                                                                      \
      for (int l = 0; l < live; ++l) ((T *)&v)[l] = p[l * stride];                \
    }                                                                             \
    return v;                                                                     \
  }

// A square of neighbours along one side, `stride` apart along the other, transposed: square[t] has element t of each of `live` lines, for t < rows. In
// registers: each round of even/odd selection rotates the bits of (row, lane) by one place.
#define ONC_TURN(T, N, ROUNDS)                                                    \
  static inline void onc_turn_##T##N(const global T *p, I stride, int live, int rows, T##N *square) { \
    if (live == N && rows == N) {                                                 \
      T##N r[N], s[N];                                                            \
      ONC_UNROLL for (int l = 0; l < N; ++l) r[l] = vload##N(0, p + l * stride);  \
      ONC_UNROLL for (int round = 0; round < ROUNDS; ++round) {                   \
        ONC_UNROLL for (int l = 0; l < N / 2; ++l) {                              \
          s[l] = (T##N)(r[2 * l].even, r[2 * l + 1].even);                        \
          s[l + N / 2] = (T##N)(r[2 * l].odd, r[2 * l + 1].odd);                  \
        }                                                                         \
        ONC_UNROLL for (int l = 0; l < N; ++l) r[l] = s[l];                       \
      }                                                                           \
      ONC_UNROLL for (int l = 0; l < N; ++l) square[l] = r[l];                      \
    } else {                                                                      \
      for (int t = 0; t < rows; ++t) square[t] = 0;                                 \
      for (int l = 0; l < live; ++l)                                              \
        for (int t = 0; t < rows; ++t) ((T *)&square[t])[l] = p[l * stride + t];    \
    }                                                                             \
  }

#define ONC_STORE(T, N)                                                           \
  static inline void onc_store_c_##T##N(T##N v, int live, global T *p) {          \
    if (live == N) {                                                              \
      ((global onc_packed_##T##N *)p)->v = v;                                     \
    } else {                                                                      \
      T##N tail = v;                                                              \
      for (int l = 0; l < live; ++l) p[l] = ((T *)&tail)[l];                      \
    }                                                                             \
  }                                                                               \
  static inline void onc_store_s_##T##N(T##N v, I stride, int live, global T *p) { \
    for (int l = 0; l < live; ++l) p[l * stride] = ((T *)&v)[l];                  \
  }

// half is a storage type: loaded as float; stored from T, float or double, rounding to nearest even. By way of their bits in private memory, since pocl 3.1
// takes the address of vload_half4 and its like for one aligned to the whole vector, and to convert a tail one by one takes it many registers.
#define ONC_LOAD_HALF(N)                                                          \
  static inline float##N onc_load_c_half##N(const global half *p, int live) {     \
    if (live == N) {                                                              \
      const ushort##N bits = ((const global onc_packed_ushort##N *)p)->v;         \
      return vload_half##N(0, (const half *)&bits);                               \
    }                                                                             \
    ushort##N bits = 0;                                                           \
    for (int l = 0; l < live; ++l) ((ushort *)&bits)[l] = ((const global ushort *)p)[l]; \
    return vload_half##N(0, (const half *)&bits);                                 \
  }                                                                               \
  static inline float##N onc_load_s_half##N(const global half *p, I stride, int live) { \
    ushort##N bits = 0;                                                           \
    for (int l = 0; l < live; ++l) ((ushort *)&bits)[l] = ((const global ushort *)p)[l * stride]; \
    return vload_half##N(0, (const half *)&bits);                                 \
  }

#define ONC_STORE_HALF(T, N)                                                      \
  static inline void onc_store_c_half_##T##N(T##N v, int live, global half *p) {  \
    ushort##N bits;                                                               \
    vstore_half##N##_rte(v, 0, (half *)&bits);                                    \
    if (live == N) {                                                              \
      ((global onc_packed_ushort##N *)p)->v = bits;                             \
    } else {                                                                      \
      ushort##N tail = bits;                                                      \
      for (int l = 0; l < live; ++l) ((global ushort *)p)[l] = ((ushort *)&tail)[l]; \
    }                                                                             \
  }                                                                               \
  static inline void onc_store_s_half_##T##N(T##N v, I stride, int live, global half *p) { \
    ushort##N bits;                                                               \
    vstore_half##N##_rte(v, 0, (half *)&bits);                                    \
    for (int l = 0; l < live; ++l) ((global ushort *)p)[l * stride] = ((ushort *)&bits)[l]; \
  }

// Elements of a table of n by position (P: int or long, counting from 0). What lies outside is not touched and reads as 0. The comparison is unsigned,
// so that one serves both ends, and in the position's own width, before it is narrowed to I.
#define ONC_GATHER_1(T, P)                                                        \
  static inline T onc_gather_##T##_##P(const global T *p, I n, P at) {            \
    return (ulong)at < (ulong)n ? p[(I)at] : (T)0;                                \
  }
#define ONC_GATHER(T, P, N)                                                       \
  static inline T##N onc_gather_##T##N##_##P(const global T *p, I n, P##N at) {   \
    T##N v = 0;                                                                   \
    for (int l = 0; l < N; ++l) {                                                 \
      const P x = ((P *)&at)[l];                                                  \
      ((T *)&v)[l] = (ulong)x < (ulong)n ? p[(I)x] : (T)0;                        \
    }                                                                             \
    return v;                                                                     \
  }
#define ONC_GATHER_HALF_1(P)                                                      \
  static inline float onc_gather_half_##P(const global half *p, I n, P at) {      \
    return (ulong)at < (ulong)n ? vload_half((I)at, p) : 0.0f;                    \
  }
#define ONC_GATHER_HALF(P, N)                                                     \
  static inline float##N onc_gather_half##N##_##P(const global half *p, I n, P##N at) { \
    float##N v = 0;                                                               \
    for (int l = 0; l < N; ++l) {                                                 \
      const P x = ((P *)&at)[l];                                                  \
      if ((ulong)x < (ulong)n) ((float *)&v)[l] = vload_half((I)x, p);            \
    }                                                                             \
    return v;                                                                     \
  }

// bfloat16 is the upper half of a float: rounded to nearest even; a NaN stays one, whatever its low bits were.
#define ONC_BF16_(NAME, F, U, H, AS_U, TO_H)                                      \
  static inline H NAME(F x) {                                                     \
    const U bits = AS_U(x);                                                       \
    const U rounded = (bits + (U)(0x7fff) + ((bits >> 16) & (U)(1))) >> 16;       \
    return TO_H(SEL(x != x, (bits >> 16) | (U)(0x40), rounded));                  \
  }
#define ONC_BF16(N) ONC_BF16_(onc_bf16_##N, float##N, uint##N, ushort##N, as_uint##N, convert_ushort##N)
#define ONC_BF16_1 ONC_BF16_(onc_bf16_1, float, uint, ushort, as_uint, convert_ushort)
