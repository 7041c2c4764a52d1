// The kit refuses epilogues that are no tape over the result, and attention over tensors that do not belong together.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

// What the attributes of with_epilogue() point to: the result plus a bias.
onc_expr_inst insts[3];
onc_epilogue ending;

onc_expr_inst inst(uint16_t op, uint16_t a, uint16_t b = 0) {
  onc_expr_inst i{};
  i.op = op, i.dtype = ONC_F32, i.a = a, i.b = b;
  return i;
}

D with_epilogue() {
  insts[0] = inst(ONC_EX_INPUT, 0), insts[1] = inst(ONC_EX_INPUT, 1), insts[2] = inst(ONC_EX_ADD, 0, 1);
  ending = {};
  ending.size = sizeof ending;
  ending.n_insts = 3, ending.n_inputs = 1, ending.out = 2;
  ending.insts = insts;
  D d = valid::matmul();
  d.in.push_back(T(ONC_F16, {4, 3}, {0, 1}));
  auto& attrs = d.attrs<onc_matmul_attrs>();
  attrs.flags = ONC_ATTRS_EPILOGUE;
  attrs.epilogue = &ending;
  return d;
}

// An older caller's struct, without the member.
D without_member() {
  D d = valid::matmul();
  d.attrs<onc_no_attrs>();
  return d;
}

D attention() {
  D d(ONC_OP_ATTENTION);
  d.attrs<onc_attention_attrs>().causal = 1;
  d.in = {T(ONC_F32, {2, 4, 5, 3}), T(ONC_F32, {2, 2, 7, 3}), T(ONC_F32, {2, 2, 7, 6}), T(ONC_BOOL, {2, 4, 5, 7}, {0, 0, 7, 1})};
  d.out = {T(ONC_F32, {2, 4, 5, 6}), T(ONC_F32, {2, 4, 5})};
  return d;
}

}  // namespace

TEST_CASE("epilogues") {
  check_bad_cases({
      {"no epilogue", with_epilogue, [](D& d) { d.attrs<onc_matmul_attrs>().epilogue = nullptr; }, "[matmul] epilogue is NULL"},
      {"flag", with_epilogue, [](D& d) { d.attrs<onc_matmul_attrs>().flags = 0; },
       "[matmul] 4 inputs without an epilogue are more than 3"},
      {"unknown flag", with_epilogue, [](D& d) { d.attrs<onc_matmul_attrs>().flags = 2; }, "[matmul] attrs.flags 2"},
      {"older caller's flag", without_member, [](D& d) { d.attrs<onc_no_attrs>().flags = ONC_ATTRS_EPILOGUE; },
       "[matmul] epilogue is NULL"},
      {"inputs", with_epilogue, [](D&) { ending.n_inputs = 2; },
       "[matmul] 4 inputs do not end with the 2 of the epilogue behind 3"},
      {"sizes", with_epilogue,
       [](D& d) {
         *d.in[3] = T(ONC_F16, {3, 4});
       },
       "input 3 (of the epilogue) is float16[3, 4]"},
      {"absent", with_epilogue, [](D& d) { d.in[3].reset(); }, "[matmul] input 3 (of the epilogue) is absent"},
      {"no instruction", with_epilogue, [](D&) { ending.n_insts = 0; }, "the epilogue's result is value 2 of 0"},
      {"result", with_epilogue, [](D&) { ending.out = 3; }, "the epilogue's result is value 3 of 3"},
      {"no tape", with_epilogue, [](D&) { ending.insts = nullptr; }, "[matmul] insts of the epilogue is NULL"},
      {"input number", with_epilogue, [](D&) { insts[1].a = 2; },
       "[matmul] instruction 1 (input): there is no input 2: there are 2"},
      {"coordinates", with_epilogue, [](D&) { insts[1].op = ONC_EX_COORD; }, "instruction 1 (coord): an epilogue has none such"},
      {"reduction", with_epilogue, [](D&) { insts[2].op = ONC_EX_REDUCE_SUM; }, "(reduce_sum): an epilogue has none such"},
      {"scalar", with_epilogue, [](D&) { insts[1].op = ONC_EX_SCALAR; }, "there is no scalar 1: there are 0"},
      {"opcode", with_epilogue, [](D&) { insts[2].op = 99; }, "[matmul] instruction 2 has the unknown opcode 99"},
  });
}

TEST_CASE("attention") {
  check_bad_cases({
      {"rank", attention,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 4, 5});
       },
       "[attention] q has rank 3, not 4"},
      {"groups", attention,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {2, 3, 7, 3}), *d.in[2] = T(ONC_F32, {2, 3, 7, 6});
       },
       "[attention] 4 heads of q are no multiple of the 3 of k"},
      {"elements", attention,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {2, 2, 7, 4});
       },
       "[attention] k has sizes [2, 2, 7, 4], not [2, 2, 7, 3]"},
      {"keys", attention,
       [](D& d) {
         *d.in[2] = T(ONC_F32, {2, 2, 8, 6});
       },
       "[attention] v has sizes [2, 2, 8, 6], not [2, 2, 7, 6]"},
      {"mask", attention, [](D& d) { d.in[3]->dtype = ONC_I8; }, "[attention] mask is int8, neither bool nor float32"},
      {"mask's sizes", attention,
       [](D& d) {
         *d.in[3] = T(ONC_BOOL, {5, 7});
       },
       "[attention] mask has sizes [5, 7]"},
      {"lse", attention, [](D& d) { d.out[1]->dtype = ONC_F64; }, "[attention] lse is float64, not float32"},
      {"result", attention,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 4, 5, 3});
       },
       "[attention] y has sizes [2, 4, 5, 3], not [2, 4, 5, 6]"},
      {"causal", attention, [](D& d) { d.attrs<onc_attention_attrs>().causal = 2; }, "[attention] causal is 2, neither 0 nor 1"},
  });
}
