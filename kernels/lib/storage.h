// Elements as they lie in memory (E) and as kernels compute with them (T). The host defines T and, for halves, STORAGE_F16 or STORAGE_BF16
// (set_storage in ops/variants.hpp): these are stored as 16 bits and computed in float32, also where the device has no fp16. Stores round to nearest even, and
// a NaN stays one. STORAGE names a narrower integer type. Pointers to tensors are `global E *`; what LOAD_AT and STORE_AT touch is p[i].
#ifndef ONC_STORAGE_H
#define ONC_STORAGE_H
#if defined(STORAGE_F16)
typedef half E;
#define LOAD_AT(p, i) vload_half(i, p)
#define STORE_AT(p, i, v) vstore_half_rte(v, i, p)
#define LOAD16(p) vload_half16(0, p)
#define STORE16(p, v) vstore_half16_rte(v, 0, p)
#elif defined(STORAGE_BF16)
typedef ushort E;
static inline ushort onc_to_bf16(float x) {
  const uint bits = as_uint(x);
  return x != x ? (ushort)((bits >> 16) | 0x40u) : (ushort)((bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16);
}
static inline ushort16 onc_to_bf16_16(float16 x) {
  const uint16 bits = as_uint16(x);
  const uint16 rounded = (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  return convert_ushort16(x != x ? (bits >> 16) | 0x40u : rounded);
}
#define LOAD_AT(p, i) as_float((uint)(p)[i] << 16)
#define STORE_AT(p, i, v) ((p)[i] = onc_to_bf16(v))
#define LOAD16(p) as_float16(convert_uint16(vload16(0, p)) << 16)
#define STORE16(p, v) vstore16(onc_to_bf16_16(v), 0, p)
#elif defined(STORAGE)
typedef STORAGE E;
#define LOAD_AT(p, i) ((T)(p)[i])
#define STORE_AT(p, i, v) ((p)[i] = (E)(v))
#else
typedef T E;
#define LOAD_AT(p, i) ((p)[i])
#define STORE_AT(p, i, v) ((p)[i] = (v))
#define LOAD16(p) vload16(0, p)
#define STORE16(p, v) vstore16(v, 0, p)
#endif
#endif
