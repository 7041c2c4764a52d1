// Elements as unsigned integers in the order of SORT: NaN is the greatest value, -0 and +0 are one, and with DESCENDING all turns round. The host defines K,
// uint or (WIDE_KEY) ulong for dtypes of 64 bits, beside what lib/storage.h reads; FLOATING or SIGNED says what T is.
static inline K key_of(T v) {
#if defined(FLOATING)
#ifdef WIDE_KEY
  const K bits = as_ulong(v), sign = (K)1 << 63;
#else
  const K bits = as_uint(v), sign = (K)1 << 31;
#endif
  K key = bits & sign ? ~bits : bits | sign;
  if (v == 0) key = sign;
  if (v != v) key = ~(K)0;
#elif defined(WIDE_KEY)
  const K key = (K)v ^ ((K)1 << 63);
#else
  const K key = (K)v + KEY_BIAS;  // no negative value is left, so that narrow dtypes have short keys
#endif
#ifdef DESCENDING
  return ~key & (K)KEY_MASK;
#else
  return key;
#endif
}
