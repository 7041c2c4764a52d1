// Cases of EXPR. The table is in parts: expr_*.cpp.
#include "ops/expr.hpp"

namespace oncilla::test {

Case expr_case(std::string name, const Tape& tape, Dims dims, uint32_t reduce_rank) {
  Case c;
  c.op = ONC_OP_EXPR;
  c.name = "expr/" + std::move(name);
  c.set_tape(tape);
  c.dims = std::move(dims);
  c.reduce_rank = reduce_rank;
  return c;
}

void cases_expr(Cases& cases) {
  elementwise_cases(cases);
  cast_cases(cases);
  structure_cases(cases);
  random_cases(cases);
  reduction_cases(cases);
  gather_cases(cases);
  composite_cases(cases);
}

}  // namespace oncilla::test
