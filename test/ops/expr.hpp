// The parts of the EXPR table, and what they share.
#pragma once

#include "ops/cases.hpp"

namespace oncilla::test {

// An EXPR case over the tape; inputs and outputs are added by the caller, and every output gets the iteration space as its dims.
Case expr_case(std::string name, const Tape& tape, Dims dims, uint32_t reduce_rank = 0);

void elementwise_cases(Cases& cases);  // every row of elementwise.def, and its gradient
void cast_cases(Cases& cases);         // every pair of storage dtypes; copies between layouts
void structure_cases(Cases& cases);    // coordinates, scalars, where, in-place, shapes
void random_cases(Cases& cases);       // Philox
void reduction_cases(Cases& cases);
void gather_cases(Cases& cases);     // tables read by position
void composite_cases(Cases& cases);  // the tapes of the core: cells, statistics, complex numbers, indexing

}  // namespace oncilla::test
