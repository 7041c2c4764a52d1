// The epilogue of MATMUL and CONV (onc_epilogue).
#pragma once

#include <vector>

#include "plan.hpp"

namespace oncilla::reference {

// Writes output 0: the result, of the accumulator's dtype, as the descriptor's epilogue makes it, or as it is without one.
// own_scalars: run-time scalars of the op in front of the epilogue's.
void write_result(const Call& call, std::vector<Number> result, size_t own_scalars);
void write_result(const Call& call, const std::vector<double>& result, size_t own_scalars);

}  // namespace oncilla::reference
