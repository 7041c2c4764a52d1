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

Value unit_with_one(Tape& tape, uint32_t dtype) {
  require_floating("unit_with_one", dtype);
  if (dtype == ONC_F64) return tape.cast(bits53(tape, 0) + tape.constant_int(ONC_I64, 1), ONC_F64) * 0x1p-53;
  // In two exact parts, whose sum rounds once: conversions of 33 bits to float round differently here and there.
  const Value word = tape.philox(0), high = tape.cast(shift_right(word, tape.constant_int(ONC_I64, 8)), ONC_F32) * 0x1p-24;
  const Value low = tape.cast(bit_and(word, tape.constant_int(ONC_I64, 255)) + tape.constant_int(ONC_I64, 1), ONC_F32) * 0x1p-32;
  return high + low;
}

// Box and Muller: sqrt(-2 ln u) cos(2 pi v), with u in (0, 1].
Value normal(Tape& tape, uint32_t dtype) {
  require_floating("normal", dtype);
  const Value u = unit_with_one(tape, dtype);
  const Value v = dtype == ONC_F64 ? tape.cast(bits53(tape, 2), ONC_F64) * 0x1p-52
                                   : tape.cast(shift_right(tape.philox(1), tape.constant_int(ONC_I64, 8)), ONC_F32) * 0x1p-23;
  return repro_sqrt(repro_log(u) * -2.0) * repro_cospi(v);
}

}  // namespace oncilla
