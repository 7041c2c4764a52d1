// Distributions as tapes. Each draws for every element of the iteration space from the Philox words at its place, so that neither
// layout nor device changes a number. Beyond exact operations they use only +, -, * and the repro_ rows of elementwise.def: the
// same seed gives the same bits on every runtime.
//
// dtype is F32 or F64 (halves draw in F32 and round when stored). Parameters are values, as a rule run-time scalars; take them from
// the tape before the first draw, whose seed and offset are the tape's next two scalars. A tape draws once: two draws of one
// tape use the same words.
#pragma once

#include "core/philox.hpp"

namespace oncilla {

// (0, 1): 23 or 52 random bits and a half, symmetric around 1/2.
Value uniform_open(Tape& tape, uint32_t dtype);

// True with probability p: p = 0 never, p = 1 always.
Value bernoulli(Tape& tape, Value p);

// Density rate * exp(-rate x), x > 0. inverse_rate: 1 / rate.
Value exponential(Tape& tape, Value inverse_rate);

// How many trials the first success takes, 1, 2, …, of probability p each. inverse_log: 1 / log1p(-p); 0 for p = 1.
Value geometric(Tape& tape, Value inverse_log);

// Density 1 / (pi * scale * (1 + ((x - median) / scale)^2)).
Value cauchy(Tape& tape, Value median, Value scale);

// exp of a normal draw with this mean and deviation.
Value log_normal(Tape& tape, Value mean, Value deviation);

// x * scale where kept, else 0, and what was kept: the dropout of neural networks. keep: the probability; scale: 1 / keep.
struct Dropout {
  Value y, kept;
};
Dropout dropout(Tape& tape, Value x, Value keep, Value scale);

}  // namespace oncilla
