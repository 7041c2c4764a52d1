// The geometries of padding.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

struct PadShape {
  uint32_t mode;  // ONC_PAD_*
  Dims x, before, after;
  Layout layout = Layout::contiguous;

  Dims y() const;
  std::string name() const;
};

// For the modes that repeat x, and (crops included) for the constant one.
const std::vector<PadShape>& pad_shapes();
Case pad_case(uint32_t dtype, const PadShape& shape, const Fill& fill, onc_scalar constant, const char* what = "");

}  // namespace oncilla::test
