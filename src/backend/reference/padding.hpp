// Where an element of a padded tensor comes from. PAD and its gradient both walk it.
#pragma once

#include <cstdint>
#include <vector>

#include "kit/desc.hpp"

namespace oncilla::reference {

// The position along a dim of `in` elements that position i, 0 being the first element of x, shows; -1: the constant.
inline int64_t padded_source(uint32_t mode, int64_t i, int64_t in) {
  if (i >= 0 && i < in) return i;
  switch (mode) {
    case ONC_PAD_REFLECT:  // about the first or the last element, which is not repeated
      return i < 0 ? -i : 2 * (in - 1) - i;
    case ONC_PAD_REPLICATE:
      return i < 0 ? 0 : in - 1;
    case ONC_PAD_CIRCULAR:
      return i < 0 ? i + in : i - in;
    default:
      return -1;
  }
}

// Calls term(x, y) with flat row-major positions for every element of y in turn; x is -1 where y is the constant.
template <class Term>
void padding_terms(const onc_pad_attrs& attrs, const kit::Dims& x, const kit::Dims& y, Term&& term) {
  int64_t numel = 1;
  for (int64_t dim : y) numel *= dim;
  kit::Dims at(y.size(), 0);
  for (int64_t flat = 0; flat < numel; ++flat) {
    int64_t source = 0;
    for (size_t d = 0; d < y.size(); ++d) {
      const int64_t i = padded_source(attrs.mode, at[d] - attrs.before[d], x[d]);
      source = i < 0 || source < 0 ? -1 : source * x[d] + i;
    }
    term(source, flat);
    for (size_t d = y.size(); d-- > 0;) {
      if (++at[d] < y[d]) break;
      at[d] = 0;
    }
  }
}

}  // namespace oncilla::reference
