// Philox4x32-10. U is uint or a vector of it. Counter: c0 c1 the element, c2 c3 the draw; key k0 k1.
// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#define ONC_PHILOX(U, NAME)                                                       \
  static inline void NAME(U c0, U c1, U c2, U c3, uint k0, uint k1, U *word) {    \
    for (int round = 0; round < 10; ++round) {                                    \
      const U low0 = c0 * (U)(0xD2511F53u), high0 = mul_hi(c0, (U)(0xD2511F53u)); \
      const U low1 = c2 * (U)(0xCD9E8D57u), high1 = mul_hi(c2, (U)(0xCD9E8D57u)); \
      c0 = high1 ^ c1 ^ (U)(k0);                                                  \
      c1 = low1;                                                                  \
      c2 = high0 ^ c3 ^ (U)(k1);                                                  \
      c3 = low0;                                                                  \
      k0 += 0x9E3779B9u;                                                          \
      k1 += 0xBB67AE85u;                                                          \
    }                                                                             \
    word[0] = c0;                                                                 \
    word[1] = c1;                                                                 \
    word[2] = c2;                                                                 \
    word[3] = c3;                                                                 \
  }
