// The state of a random generator on the host: a seed (Philox key) and an offset that advances by one for each draw of a whole
// tensor, so that the same seed gives the same numbers on every device. The rounds themselves are ONC_EX_PHILOX; philox4x32 here is
// their plain form, for tests.
//
// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3", SC 2011.
#pragma once

#include <array>
#include <cstdint>

#include "core/tape.hpp"

namespace oncilla {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

struct Philox {
  uint64_t seed = 0, offset = 0;
  // The offset of the next draw; advances.
  uint64_t next() { return offset++; }
};

// Tape values from philox words; dtype F32 or F64.
Value uniform(Tape& tape, uint32_t dtype);  // [0, 1): 24 or 53 random bits
Value normal(Tape& tape, uint32_t dtype);   // Box-Muller, from unit_with_one: the same bits on every runtime
// (0, 1], for logarithms. In float32 it has all 32 bits of its word, which rounding may take to 1 but never to 0, so that a tail of
// normal draws reaches 6.6 instead of the 5.8 that 24 bits give. Words 0 (and 1 for float64).
Value unit_with_one(Tape& tape, uint32_t dtype);

}  // namespace oncilla
