// A tape over lists of tensors as OpenCL C, for the loop in kernels/foreach.cl. Which tensors, how long and where: a table in
// memory. So one program serves lists of any number and size.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "expr/program.hpp"
#include "kit/backend.hpp"

namespace oncilla::ocl {

struct ForeachShape {
  int width = 1;      // elements of a vector
  int64_t chunk = 1;  // elements of a unit of work
};

// Whether the tensors of an input list are as long as the output's, or have one element that broadcasts: none, some, or all of
// them.
enum class ListKind { full, mixed, one };

struct ForeachProgram {
  std::string prelude;
  std::vector<ScalarArgument> scalars;  // shared ones, as parameters
  // Of each tensor scalar: the dtype in which the table holds it (F32, F64, I64); 0 where the tape does not read it.
  std::vector<uint32_t> tensor_scalars;
};

// The row of a tensor in the table (ops/list_plan.hpp): its length, a place for each list (inputs, then outputs), its scalars.
// kinds[l]: of input list l.
ForeachProgram foreach_program(const kit::OpDesc& desc, const std::vector<ListKind>& kinds, const ForeachShape& shape);

}  // namespace oncilla::ocl
