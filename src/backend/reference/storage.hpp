// Storage dtypes as numbers: how the reference plugin reads one element of memory and writes one. A floating element is a double,
// an integer or boolean one an int64_t; both keep every value of every dtype. Plain and slow on purpose.
#pragma once

#include <cstddef>
#include <cstdint>

#include "oncilla/oncilla.h"

namespace oncilla::reference {

// A value of any dtype: floating kinds live in f, the others in i.
struct Number {
  double f = 0;
  int64_t i = 0;
};

bool is_float(uint32_t dtype);

// The nearest value that the dtype holds: float rounds to nearest even, integers wrap to their width, BOOL is != 0.
double round_float(double value, uint32_t dtype);
int64_t wrap_int(int64_t value, uint32_t dtype);

// Float to integer truncates (out of int64's range, or int32's for narrower ones, and NaN: the least of these; then wraps), to BOOL
// is != 0. What becomes a half becomes a float32 first.
Number convert(Number value, uint32_t from, uint32_t to);

Number load(const std::byte* at, uint32_t dtype);
void store(std::byte* at, uint32_t dtype, Number value);  // value is one of the dtype's kind; rounds and wraps

}  // namespace oncilla::reference
