// a * b + c in one rounding for floating T; the host defines INTEGER where T is unsigned, for which fma does not exist.
#ifdef INTEGER
#define MULTIPLY_ADD(a, b, c) ((a) * (b) + (c))
#else
#define MULTIPLY_ADD(a, b, c) fma(a, b, c)
#endif
