// The rows of elementwise.def as OpenCL C functions.
#pragma once

#include <cstdint>
#include <string>

namespace oncilla::ocl {

// "ew_add_float16": the function that computes opcode `op` on operands of `dtype`; one program has one width.
std::string row_name(uint32_t op, uint32_t dtype, int width);
// The helper of lib/elementwise.h that it calls, to be defined before it; "" for most.
std::string row_helper(uint32_t op, uint32_t dtype, int width);
// Whether the function of vectors calls the one of width 1, which must be there, lane by lane. Integer rows do: they are written
// for scalars, since casts between vectors do not exist, and compilers join their lanes again. Floating rows compute on vectors as
// they stand, but for the library's functions of doubles: in pocl 3.1's pow and fmod of double8 a lane of zeros spoils its
// neighbours.
bool by_lanes(uint32_t op, uint32_t dtype, int width);
// Its text.
std::string row_text(uint32_t op, uint32_t dtype, int width);
// Whether its text is more than a few instructions: a function of the library, or lanes one by one.
bool is_long(uint32_t op, uint32_t dtype);

}  // namespace oncilla::ocl
