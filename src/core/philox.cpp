// Philox4x32-10 in plain form, and the tapes that turn its words into random numbers (philox.hpp).
#include "core/philox.hpp"

namespace oncilla {

std::array<uint32_t, 4> philox4x32(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  constexpr uint64_t kMultiply0 = 0xD2511F53u, kMultiply1 = 0xCD9E8D57u;  // the constants of the paper
  constexpr uint32_t kWeyl0 = 0x9E3779B9u, kWeyl1 = 0xBB67AE85u;
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = kMultiply0 * counter[0], product1 = kMultiply1 * counter[2];
    counter = {static_cast<uint32_t>(product1 >> 32) ^ counter[1] ^ key[0], static_cast<uint32_t>(product1),
               static_cast<uint32_t>(product0 >> 32) ^ counter[3] ^ key[1], static_cast<uint32_t>(product0)};
    key[0] += kWeyl0;
    key[1] += kWeyl1;
  }
  return counter;
}

namespace {

// 53 random bits as an integer, from two words.
Value bits53(Tape& tape, uint32_t word) {
  return shift_left(tape.philox(word), tape.constant_int(ONC_I64, 21)) +
         shift_right(tape.philox(word + 1), tape.constant_int(ONC_I64, 11));
}

void require_floating(const char* name, uint32_t dtype) {
  if (dtype == ONC_F32 || dtype == ONC_F64) return;
  throw Error(ONC_INVALID_ARGUMENT, std::string("[") + name + "] draws float32 or float64, not dtype " + std::to_string(dtype));
}

}  // namespace

Value uniform(Tape& tape, uint32_t dtype) {
  require_floating("uniform", dtype);
  if (dtype == ONC_F64) return tape.cast(bits53(tape, 0), ONC_F64) * 0x1p-53;
  return tape.cast(shift_right(tape.philox(0), tape.constant_int(ONC_I64, 8)), ONC_F32) * 0x1p-24;
}

// Box and Muller: sqrt(-2 ln u) cos(2 pi v), with u in (0, 1]. In float32, u has all 32 bits of its word, which rounding may take
// to 1 but never to 0, so that the tail reaches 6.6 instead of the 5.8 that 24 bits give.
Value normal(Tape& tape, uint32_t dtype) {
  require_floating("normal", dtype);
  constexpr double kTwoPi = 6.283185307179586;
  const bool wide = dtype == ONC_F64;
  const Value one = tape.constant_int(ONC_I64, 1);
  const Value u = wide ? tape.cast(bits53(tape, 0) + one, ONC_F64) * 0x1p-53 : tape.cast(tape.philox(0) + one, ONC_F32) * 0x1p-32;
  const Value v = wide ? tape.cast(bits53(tape, 2), ONC_F64) * 0x1p-53
                       : tape.cast(shift_right(tape.philox(1), tape.constant_int(ONC_I64, 8)), ONC_F32) * 0x1p-24;
  return sqrt(log(u) * -2.0) * cos(v * kTwoPi);
}

}  // namespace oncilla
