// The special functions as C++, to be included inside a namespace that has sin, floor, fabs and so on for double, behind <bit>,
// <cmath> and <cstdint>. Those that must give equal bits in float32 are there for float too; the oracle computes the others in
// double and rounds once.
#define SEL(condition, x, y) ((condition) ? (x) : (y))
#define FN(name) name
#define C(x) static_cast<T>(x)
#define TO_IT(x) static_cast<IT>(x)
#define TO_T(x) static_cast<T>(x)
#define AS_IT(x) std::bit_cast<IT>(x)
#define AS_T(x) std::bit_cast<T>(x)
#define TABLE static const
#define TABLE_OF const

#define T double
#define IT int64_t
#define MANTISSA 52
// First: the others call it.
#include "lib/special/series.h"

#include "lib/special/airy.h"
#include "lib/special/bessel.h"
#include "lib/special/gamma.h"
#include "lib/special/normal.h"
#include "lib/special/number.h"
#include "lib/special/polynomials.h"
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

#define T int32_t
#define UT uint32_t
#include "lib/special/integer.h"
#undef T
#undef UT
#define T int64_t
#define UT uint64_t
#include "lib/special/integer.h"
#undef T
#undef UT

#undef TABLE
#undef TABLE_OF
#undef LENGTH
#undef SEL
#undef FN
#undef C
#undef TO_IT
#undef TO_T
#undef AS_IT
#undef AS_T
