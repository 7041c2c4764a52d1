// Elements as they lie in memory (E) and as kernels compute with them (T). The host defines T and, for halves, STORAGE_F16 or STORAGE_BF16
// (set_storage in ops/variants.hpp): these are stored as 16 bits and computed in float32, also where the device has no fp16. Stores round to nearest even, and
// a NaN stays one. STORAGE names a narrower integer type. Pointers to tensors are `global E *`; what LOAD_AT and STORE_AT touch is p[i].
#ifndef ONC_STORAGE_H
#define ONC_STORAGE_H
#if defined(STORAGE_F16)
typedef half E;
#define LOAD_AT(p, i) vload_half(i, p)
#define STORE_AT(p, i, v) vstore_half_rte(v, i, p)
// Through private memory: pocl 3.1 takes the address of vload_half4 and its like for one aligned to the whole vector.
#define ONC_HALVES(N)                                                            \
  static inline float##N onc_load_half_##N(const global half *p) {               \
    const ushort##N bits = vload##N(0, (const global ushort *)p);                \
    return vload_half##N(0, (const half *)&bits);                                \
  }                                                                              \
  static inline void onc_store_half_##N(float##N v, global half *p) {            \
    ushort##N bits;                                                              \
    vstore_half##N##_rte(v, 0, (half *)&bits);                                   \
    vstore##N(bits, 0, (global ushort *)p);                                      \
  }
ONC_HALVES(4)
ONC_HALVES(8)
ONC_HALVES(16)
#define LOAD4(p) onc_load_half_4(p)
#define LOAD8(p) onc_load_half_8(p)
#define LOAD16(p) onc_load_half_16(p)
#define STORE4(p, v) onc_store_half_4(v, p)
#define STORE8(p, v) onc_store_half_8(v, p)
#define STORE16(p, v) onc_store_half_16(v, p)
#elif defined(STORAGE_BF16)
typedef ushort E;
static inline ushort onc_to_bf16(float x) {
  const uint bits = as_uint(x);
  return x != x ? (ushort)((bits >> 16) | 0x40u) : (ushort)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
#define ONC_TO_BF16(N)                                                              \
  static inline ushort##N onc_to_bf16_##N(float##N x) {                             \
    const uint##N bits = as_uint##N(x);                                             \
    const uint##N rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;           \
    return convert_ushort##N(x != x ? (bits >> 16) | 0x40u : rounded);              \
  }
ONC_TO_BF16(4)
ONC_TO_BF16(8)
ONC_TO_BF16(16)
#define LOAD_AT(p, i) as_float((uint)(p)[i] << 16)
#define STORE_AT(p, i, v) ((p)[i] = onc_to_bf16(v))
#define LOAD4(p) as_float4(convert_uint4(vload4(0, p)) << 16)
#define LOAD8(p) as_float8(convert_uint8(vload8(0, p)) << 16)
#define LOAD16(p) as_float16(convert_uint16(vload16(0, p)) << 16)
#define STORE4(p, v) vstore4(onc_to_bf16_4(v), 0, p)
#define STORE8(p, v) vstore8(onc_to_bf16_8(v), 0, p)
#define STORE16(p, v) vstore16(onc_to_bf16_16(v), 0, p)
#elif defined(STORAGE)
typedef STORAGE E;
#define LOAD_AT(p, i) ((T)(p)[i])
#define STORE_AT(p, i, v) ((p)[i] = (E)(v))
#else
typedef T E;
#define LOAD_AT(p, i) ((p)[i])
#define STORE_AT(p, i, v) ((p)[i] = (v))
#define LOAD4(p) vload4(0, p)
#define LOAD8(p) vload8(0, p)
#define LOAD16(p) vload16(0, p)
#define STORE4(p, v) vstore4(v, 0, p)
#define STORE8(p, v) vstore8(v, 0, p)
#define STORE16(p, v) vstore16(v, 0, p)
#endif
#endif
