// a * b + c. For floating T in one rounding where the device says that it has such an instruction (the host then defines HAS_FMA); elsewhere fma may be a
// function of a hundred integer operations, and mad is what the device does best. The host defines INTEGER where T is unsigned, for which neither exists.
#if defined(INTEGER)
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#elif defined(HAS_FMA)
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#else
#define MULTIPLY_ADD(a, b, c) mad(a, b, c)
#endif
