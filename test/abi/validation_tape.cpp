// The kit refuses tapes that a plugin could not translate without a check of its own.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

// `out = op(a, b, c)` over three inputs of one value dtype, that of the result unless given.
D& pointwise(D& d, uint32_t opcode, uint32_t dtype, uint32_t result = 0) {
  d.n_scalars = 0;
  d.in = {T(ONC_F32, {2, 3}), T(ONC_F32, {2, 3}), T(ONC_F32, {2, 3})};
  d.insts.clear();
  for (uint16_t i = 0; i < 3; ++i) d.push(ONC_EX_INPUT, dtype, i);
  d.outs = {d.push(opcode, result != 0 ? result : dtype, 0, 1, 2)};
  return d;
}

}  // namespace

TEST_CASE("expr: the tape as a whole") {
  check_bad_cases({
      {"no attrs", valid::expr, [](D& d) { d.bend = [](onc_op_desc& o) { o.attrs = nullptr; }; }, "[expr] attrs is NULL"},
      {"flags", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.flags = 1; }; }, "[expr] attrs.flags 1"},
      {"rank", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.rank = 17; }; }, "[expr] rank 17 is above 16"},
      {"dims NULL", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.dims = nullptr; }; }, "[expr] rank 2 and dims NULL"},
      {"reduce_rank", valid::expr, [](D& d) { d.reduce_rank = 3; }, "[expr] reduce_rank 3 is above the rank 2"},
      {"reserved", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.reserved = 5; }; }, "[expr] attrs.reserved is 5"},
      {"no instructions", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.n_insts = 0; }; },
       "[expr] 0 instructions: a tape has 1 to 65535"},
      {"too many", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.n_insts = 65536; }; }, "[expr] 65536 instructions"},
      {"insts NULL", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.insts = nullptr; }; }, "[expr] insts is NULL"},
      {"no outputs", valid::expr, [](D& d) { d.outs.clear(); }, "[expr] 0 output values"},
      {"65 outputs", valid::expr, [](D& d) { d.outs.resize(65); }, "[expr] 65 output values: a tape has 1 to 64"},
      {"outs NULL", valid::expr, [](D& d) { d.bend_expr = [](auto& a) { a.outs = nullptr; }; }, "[expr] outs is NULL"},
      {"output value", valid::expr, [](D& d) { d.outs[0] = 4; }, "[expr] output 0 is value 4 of 4"},
      {"output count", valid::expr, [](D& d) { d.out.push_back(d.out[0]); }, "[expr] 2 outputs for 1 output values"},
      {"absent output", valid::expr, [](D& d) { d.out[0].reset(); }, "[expr] output 0 is absent"},
      {"absent input", valid::expr, [](D& d) { d.in[1].reset(); }, "[expr] input 1 is absent"},
      {"input sizes", valid::expr, [](D& d) { *d.in[1] = T(ONC_F32, {3}); },
       "[expr] input 1 is float32[3], but the iteration space [2, 3]"},
      {"output sizes", valid::expr, [](D& d) { *d.out[0] = T(ONC_F32, {6}); },
       "output 0 is float32[6], but value 3 has sizes [2, 3]"},
      {"65 inputs", valid::expr, [](D& d) { d.in.resize(65, d.in[0]); }, "[expr] 65 inputs are more than 64"},
      {"scalars", valid::expr, [](D& d) { d.n_scalars = 70000; }, "[expr] 70000 scalars are above 65535"},
      {"space", valid::expr,
       [](D& d) {
         d.in.clear(), d.dims = {int64_t{1} << 40, int64_t{1} << 40};
       },
       "exceed 64 bits"},
      {"negative size", valid::expr,
       [](D& d) {
         d.in.clear(), d.dims = {-1, 3};
       },
       "[expr] dims [-1, 3] have the negative size -1"},
      {"overlap", valid::expr,
       [](D& d) {
         d.out[0]->strides = {0, 1};
       },
       "[expr] output 0 of sizes [2, 3] and strides [0, 1] overlaps itself"},
  });
}

TEST_CASE("expr: instructions") {
  check_bad_cases({
      {"opcode", valid::expr, [](D& d) { d.insts[3].op = 999; }, "[expr] instruction 3 has the unknown opcode 999"},
      {"opcode 0", valid::expr, [](D& d) { d.insts[0].op = 0; }, "[expr] instruction 0 has the unknown opcode 0"},
      {"dtype", valid::expr, [](D& d) { d.insts[0].dtype = ONC_F16; },
       "instruction 0 (input): dtype 3 (float16) is no value dtype"},
      {"dtype 50", valid::expr, [](D& d) { d.insts[0].dtype = 50; }, "instruction 0 (input): dtype 50 (no dtype)"},
      {"reserved", valid::expr, [](D& d) { d.insts[2].reserved = 3; }, "instruction 2 (scalar): reserved is 3"},
      {"itself", valid::expr, [](D& d) { d.insts[3].b = 3; },
       "instruction 3 (fma): operand b is value 3, which does not come before it"},
      {"later", valid::expr, [](D& d) { d.insts[3].c = 60000; }, "instruction 3 (fma): operand c is value 60000"},
      {"input", valid::expr, [](D& d) { d.insts[1].a = 2; }, "instruction 1 (input): there is no input 2: there are 2"},
      {"scalar", valid::expr, [](D& d) { d.insts[2].a = 1; }, "instruction 2 (scalar): there is no scalar 1: there are 1"},
      {"tensor scalar", valid::expr, [](D& d) { d.insts[2].op = ONC_EX_TENSOR_SCALAR; }, "(tensor_scalar): only foreach"},
      {"operands", valid::expr, [](D& d) { d.insts[1].dtype = ONC_F64; }, "instruction 3 (fma): operands are float32 and float64"},
      {"third operand", valid::expr, [](D& d) { d.insts[0].dtype = ONC_I32; },
       "instruction 3 (fma): operands are float32 and int32"},
      {"result", valid::expr, [](D& d) { d.insts[3].dtype = ONC_F64; }, "(fma): result is float64, but must be float32"},
      {"comparison", valid::expr, [](D& d) { pointwise(d, ONC_EX_LT, ONC_F32); }, "(lt): result is float32, but must be bool"},
      {"float only", valid::expr, [](D& d) { pointwise(d, ONC_EX_EXP, ONC_I32); }, "(exp): does not take integer operands (int32)"},
      {"division", valid::expr, [](D& d) { pointwise(d, ONC_EX_DIV, ONC_I64); }, "(div): does not take integer operands (int64)"},
      {"integer only", valid::expr, [](D& d) { pointwise(d, ONC_EX_BIT_AND, ONC_F64); },
       "(bit_and): does not take floating operands (float64)"},
      {"shift", valid::expr, [](D& d) { pointwise(d, ONC_EX_SHIFT_LEFT, ONC_F32); }, "(shift_left): does not take floating"},
      {"bool", valid::expr, [](D& d) { pointwise(d, ONC_EX_ADD, ONC_BOOL); }, "(add): does not take bool operands"},
      {"bool order", valid::expr, [](D& d) { pointwise(d, ONC_EX_LT, ONC_BOOL); }, "(lt): does not take bool operands"},
      {"bool not", valid::expr, [](D& d) { pointwise(d, ONC_EX_BIT_NOT, ONC_BOOL); }, "(bit_not): does not take bool operands"},
      {"condition", valid::expr, [](D& d) { pointwise(d, ONC_EX_WHERE, ONC_F32); }, "(where): the condition is float32, not bool"},
      {"where b", valid::expr,
       [](D& d) { pointwise(d, ONC_EX_WHERE, ONC_F32), d.insts[0].dtype = ONC_BOOL, d.insts[1].dtype = ONC_F64; },
       "(where): b is float64, but the result float32"},
      {"where c", valid::expr,
       [](D& d) { pointwise(d, ONC_EX_WHERE, ONC_F32), d.insts[0].dtype = ONC_BOOL, d.insts[2].dtype = ONC_I32; },
       "(where): c is int32, but the result float32"},
      {"bool constant", valid::expr, [](D& d) { pointwise(d, ONC_EX_CONST, ONC_BOOL), d.insts[3].imm.i = 2; },
       "(const): a bool is 0 or 1, not 2"},
      {"int constant", valid::expr, [](D& d) { pointwise(d, ONC_EX_CONST, ONC_I32), d.insts[3].imm.i = 1LL << 31; },
       "(const): 2147483648 is no int32"},
      {"coordinate", valid::expr, [](D& d) { pointwise(d, ONC_EX_COORD, ONC_I64), d.insts[3].a = 2; },
       "(coord): there is no dim 2: the rank is 2"},
      {"coordinate dtype", valid::expr, [](D& d) { pointwise(d, ONC_EX_COORD, ONC_F32); }, "(coord): result is float32"},
      {"key", valid::expr, [](D& d) { pointwise(d, ONC_EX_PHILOX, ONC_I64); }, "(philox): there is no scalar 0 (key): there are 0"},
      {"counter", valid::expr, [](D& d) { pointwise(d, ONC_EX_PHILOX, ONC_I64), d.n_scalars = 1; },
       "there is no scalar 1 (counter)"},
      {"word", valid::expr, [](D& d) { pointwise(d, ONC_EX_PHILOX, ONC_I64), d.n_scalars = 2, d.insts[3].c = 4; },
       "there is no output word 4"},
      {"philox dtype", valid::expr, [](D& d) { pointwise(d, ONC_EX_PHILOX, ONC_I32), d.n_scalars = 2; },
       "(philox): result is int32"},
      {"scalar kinds", valid::expr, [](D& d) { d.push(ONC_EX_SCALAR, ONC_I64, 0); },
       "instruction 4 (scalar): scalar 0 is read both as floating"},
  });
}

TEST_CASE("expr: reductions") {
  check_bad_cases({
      {"reduce_rank 0", valid::expr, [](D& d) { d.insts[3].op = ONC_EX_REDUCE_SUM; }, "(reduce_sum): the tape has reduce_rank 0"},
      {"twice", valid::expr_reduction, [](D& d) { d.insts[4].op = ONC_EX_REDUCE_MAX; }, "(reduce_max): value 3 is reduced already"},
      {"mixed", valid::expr_reduction, [](D& d) { d.insts[4].b = 0; },
       "instruction 4 (mul): combines a reduced value with a full one"},
      {"mixed where", valid::expr_reduction, [](D& d) { d.insts[4].b = 2; }, "combines a reduced value with a full one"},
      {"not constant", valid::expr_reduction,
       [](D& d) {
         d.in[1]->strides = {3, 1};
       },
       "combines a reduced value with a full one"},
      {"coordinate", valid::expr_reduction,
       [](D& d) {
         d.insts[1] = {ONC_EX_CAST, ONC_F32}, d.insts[0] = {ONC_EX_COORD, ONC_I32}, d.insts[2] = {ONC_EX_CAST, ONC_F32};
       },
       "combines a reduced value with a full one"},
      {"output of a reduced value", valid::expr_reduction,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 3});
       },
       "output 0 is float32[2, 3], but value 4 has sizes [2]"},
      {"output of a full value", valid::expr_reduction, [](D& d) { d.outs[0] = 2; },
       "output 0 is float32[2], but value 2 has sizes [2, 3]"},
      {"dtype", valid::expr_reduction, [](D& d) { d.insts[3].dtype = ONC_F64; },
       "(reduce_sum): result is float64, but must be float32"},
      {"index dtype", valid::expr_reduction, [](D& d) { d.insts[3].op = ONC_EX_REDUCE_ARGMAX; },
       "(reduce_argmax): result is float32, but must be int64"},
      {"any of floats", valid::expr_reduction, [](D& d) { d.insts[3].op = ONC_EX_REDUCE_ANY; },
       "(reduce_any): takes bool, not float32"},
      {"sum of bool", valid::expr_reduction,
       [](D& d) {
         d.insts[2] = {ONC_EX_CAST, ONC_BOOL}, d.insts[3].dtype = ONC_BOOL;
       },
       "(reduce_sum): does not take bool operands"},
      {"maximum of nothing", valid::expr_reduction,
       [](D& d) {
         d.dims = {2, 0}, *d.in[0] = T(ONC_F32, {2, 0}), *d.in[1] = T(ONC_F32, {2, 0}, {1, 0}), d.insts[3].op = ONC_EX_REDUCE_MAX;
       },
       "(reduce_max): has no value over nothing: the last 1 dims of [2, 0] are empty"},
  });
}

TEST_CASE("foreach") {
  check_bad_cases({
      {"no attrs", valid::foreach, [](D& d) { d.bend = [](onc_op_desc& o) { o.attrs = nullptr; }; }, "[foreach] attrs is NULL"},
      {"no tensors", valid::foreach, [](D& d) { d.n_tensors = 0; }, "[foreach] 0 tensors"},
      {"many tensors", valid::foreach, [](D& d) { d.bend_foreach = [](auto& a) { a.n_tensors = 0x80000000u; }; },
       "[foreach] 2147483648 tensors"},
      {"input lists", valid::foreach, [](D& d) { d.in.pop_back(); }, "[foreach] 3 inputs are not 1 lists of 2"},
      {"output lists", valid::foreach, [](D& d) { d.out.pop_back(); }, "[foreach] 1 outputs are not 1 lists of 2"},
      {"no outputs", valid::foreach, [](D& d) { d.outs.clear(), d.out.clear(); }, "[foreach] 0 output values"},
      {"list number", valid::foreach, [](D& d) { d.insts[1].a = 2; }, "(input): there is no input 2: there are 2"},
      {"tensor scalar", valid::foreach, [](D& d) { d.insts[3].a = 1; },
       "(tensor_scalar): there is no tensor scalar 1: there are 1"},
      {"scalar kinds", valid::foreach, [](D& d) { d.push(ONC_EX_TENSOR_SCALAR, ONC_I32); },
       "scalar 0 is read both as floating and as integer"},
      {"tensor scalars", valid::foreach, [](D& d) { d.n_tensor_scalars = 65536; }, "65536 scalars of a tensor are above 65535"},
      {"coordinate", valid::foreach, [](D& d) { d.push(ONC_EX_COORD, ONC_I32); }, "(coord): foreach has no coordinates"},
      {"random", valid::foreach, [](D& d) { d.push(ONC_EX_PHILOX, ONC_I64); }, "(philox): foreach draws no random numbers"},
      {"reduction", valid::foreach, [](D& d) { d.push(ONC_EX_REDUCE_SUM, ONC_F32); }, "(reduce_sum): foreach has no reductions"},
      {"absent input", valid::foreach, [](D& d) { d.in[1].reset(); }, "[foreach] input 1 is absent"},
      {"absent output", valid::foreach, [](D& d) { d.out[1].reset(); }, "[foreach] output 1 is absent"},
      {"strides", valid::foreach,
       [](D& d) {
         d.in[0]->strides = {1, 2};
       },
       "input 0 of sizes [2, 3] and strides [1, 2] is not contiguous"},
      {"output strides", valid::foreach, [](D& d) { d.out[1]->strides = {2}; },
       "output 1 of sizes [5] and strides [2] is not contiguous"},
      {"numel", valid::foreach, [](D& d) { *d.in[1] = T(ONC_F32, {4}); },
       "[foreach] input 1 is float32[4], but output 1 has 5 elements"},
      {"dtype", valid::foreach, [](D& d) { d.in[3]->dtype = ONC_F32; },
       "input 3 is float32[1], but its list begins with float64[6]"},
  });
}

TEST_CASE("tapes that are allowed") {
  const Fixture f;
  Descriptor d = valid::expr();
  for (const uint32_t opcode : {ONC_EX_EQ, ONC_EX_NE, ONC_EX_LOGICAL_AND, ONC_EX_LOGICAL_NOT, ONC_EX_BIT_XOR}) {
    CHECK(pointwise(d, opcode, ONC_BOOL).plan(f).text == "");
  }
  CHECK(pointwise(d, ONC_EX_LOGICAL_OR, ONC_F64, ONC_BOOL).plan(f).text == "");
  // A value that is the same all over the reduced dims may be stored on either side, and summed.
  d = valid::expr_reduction();
  d.outs = {1, 1, d.push(ONC_EX_REDUCE_SUM, ONC_F32, 1)};
  d.out = {T(ONC_F32, {2, 3}), T(ONC_F32, {2}), T(ONC_F32, {2})};
  CHECK(d.plan(f).text == "");
  // A sum over nothing is 0.
  d = valid::expr_reduction();
  d.dims = {2, 0};
  d.in = {T(ONC_F32, {2, 0}), T(ONC_F32, {2, 0}, {1, 0})};
  CHECK(d.plan(f).text == "");
  // No input at all, rank 0.
  Descriptor fill(ONC_OP_EXPR);
  fill.outs = {fill.push(ONC_EX_CONST, ONC_F32)};
  fill.out = {T(ONC_U8, {})};
  CHECK(fill.plan(f).text == "");
}
