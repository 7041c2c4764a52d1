// The special functions as C++, to be included inside a namespace that has sin, floor, fabs and so on for double, behind <bit>, <cmath> and <cstdint>.
// Those that must give equal bits in float32 are there for float too.
#define SEL(condition, x, y) ((condition) ? (x) : (y))
#define FN(name) name
#define C(x) static_cast<T>(x)
#define TO_IT(x) static_cast<IT>(x)
#define TO_T(x) static_cast<T>(x)
#define AS_IT(x) std::bit_cast<IT>(x)
#define AS_T(x) std::bit_cast<T>(x)

#define T double
#define IT int64_t
#define MANTISSA 52
#include "lib/special/repro.h"
#undef T
#undef IT
#undef MANTISSA

#define T float
#define IT int32_t
#define MANTISSA 23
#include "lib/special/repro.h"
#undef T
#undef IT
#undef MANTISSA

#undef SEL
#undef FN
#undef C
#undef TO_IT
#undef TO_T
#undef AS_IT
#undef AS_T
