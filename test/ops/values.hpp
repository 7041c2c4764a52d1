// Element values of the op tests: how a number becomes bytes of a dtype and back, and from which domain a tensor is filled. Written
// apart from any plugin, so that a mistake in one is not shared by the other.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "oncilla/oncilla.h"

namespace oncilla::test {

using Dims = std::vector<int64_t>;

size_t item_bytes(uint32_t dtype);
const char* dtype_name(uint32_t dtype);
bool is_float(uint32_t dtype);

// A float rounds to nearest even; an integer dtype truncates a float and wraps an integer.
void encode_float(std::byte* at, uint32_t dtype, double value);
void encode_int(std::byte* at, uint32_t dtype, int64_t value);
double decode_float(const std::byte* at, uint32_t dtype);
int64_t decode_int(const std::byte* at, uint32_t dtype);

// Where elements are drawn from.
enum class Domain {
  any,        // floats -2 … 2; integers -20 … 20 (0 … 20 unsigned)
  positive,   // 0.1 … 3; 1 … 20
  nonzero,    // 0.25 … 2 with either sign; 1 … 7 with either sign
  unit,       // -0.95 … 0.95
  open_unit,  // 0.05 … 0.95
  above_one,  // 1.05 … 3
  boolean,    // 0, 1
  shift,      // -1 … 66
  small_int,  // -3 … 3: sums of products stay exact in float32
  wide,       // integers: every bit random, extremes among them; floats: -1e4 … 1e4
  list,       // the given values, repeated
  index,      // 0 … limit-1
  percent     // 0 … 100 with a fraction: every storage dtype holds the truncated value
};

struct Fill {
  Domain domain = Domain::any;
  std::vector<double> values;  // of list
  int64_t limit = 0;           // of index
  Fill() = default;
  Fill(Domain domain) : domain(domain) {}  // NOLINT: a domain is the usual fill
};
Fill list(std::vector<double> values);
Fill index_below(int64_t limit);

// Row-major elements; the same seed gives the same bytes.
std::vector<std::byte> draw(uint32_t dtype, int64_t numel, const Fill& fill, uint64_t seed);

uint64_t hash(const char* text);

}  // namespace oncilla::test
