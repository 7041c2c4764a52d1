// How each REDUCE instruction accumulates, as text. A state is one or two variables: of a float sum, the sum and what its roundings
// lost; of an ARG reduction, the value and its position; else the value.
#pragma once

#include <cstdint>
#include <string>

namespace oncilla::ocl {

struct Reduction {
  uint16_t op = 0;     // ONC_EX_REDUCE_*
  uint32_t dtype = 0;  // of the operand

  bool position() const;  // ARGMIN, ARGMAX
  bool summed() const;    // a floating sum: added up in blocks, and the blocks with their rounding errors
  bool second() const { return position() || summed(); }

  // Types of the two variables; index is the kernel's index type.
  std::string type(int width) const;
  std::string second_type(const std::string& index, int width) const;
  // What an empty state holds, and what a lane that does not exist adds.
  std::string initial(int width) const;
  std::string second_initial(const std::string& index, int width) const;
  std::string identity(int width) const;
  // A value of the tape as a state's value, and back.
  std::string enter(const std::string& x, int width) const;
  std::string leave(const std::string& a, const std::string& b, int width) const;
  // A statement that merges state (x, y) into (a, b); y may be "" for a float sum's plain term.
  std::string merge(const std::string& a, const std::string& b, const std::string& x, const std::string& y,
                    const std::string& index, int width) const;
};

}  // namespace oncilla::ocl
