// Inversion of the distribution functions (random.hpp). Devroye, "Non-Uniform Random Variate Generation", 1986, chapter 2.
#include "core/random.hpp"

namespace oncilla {
namespace {

Value shift(Value bits, int64_t by) { return shift_right(bits, bits.tape->constant_int(ONC_I64, by)); }

}  // namespace

Value uniform_open(Tape& tape, uint32_t dtype) {
  if (dtype == ONC_F32) return (tape.cast(shift(tape.philox(0), 9), ONC_F32) + 0.5) * 0x1p-23;
  if (dtype != ONC_F64)
    throw Error(ONC_INVALID_ARGUMENT, "[uniform_open] draws float32 or float64, not dtype " + std::to_string(dtype));
  const Value high = shift_left(tape.philox(0), tape.constant_int(ONC_I64, 20));
  return (tape.cast(high + shift(tape.philox(1), 12), ONC_F64) + 0.5) * 0x1p-52;
}

Value bernoulli(Tape& tape, Value p) { return lt(uniform(tape, p.dtype), p); }

// A draw of 1 would give 0, which is no value of the distribution: it becomes half of the least step below 1.
Value exponential(Tape& tape, Value inverse_rate) {
  const bool wide = inverse_rate.dtype == ONC_F64;
  const Value draw = -repro_log(unit_with_one(tape, inverse_rate.dtype));
  return maximum(draw, tape.constant(inverse_rate.dtype, wide ? 0x1p-54 : 0x1p-25)) * inverse_rate;
}

Value geometric(Tape& tape, Value inverse_log) {
  const Value trials = ceil(repro_log(unit_with_one(tape, inverse_log.dtype)) * inverse_log);
  return maximum(trials, tape.constant(inverse_log.dtype, 1));
}

Value cauchy(Tape& tape, Value median, Value scale) {
  const Value turn = uniform_open(tape, median.dtype) - 0.5;
  return median + scale * (repro_sinpi(turn) * repro_reciprocal(repro_cospi(turn)));
}

Value log_normal(Tape& tape, Value mean, Value deviation) { return repro_exp(mean + deviation * normal(tape, mean.dtype)); }

Dropout dropout(Tape& tape, Value x, Value keep, Value scale) {
  const Value kept = bernoulli(tape, keep);
  return {where(kept, x * scale, tape.constant(x.dtype, 0)), kept};
}

}  // namespace oncilla
