// The kit refuses what tables of a tape, and ops over lists, cannot be.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

// y[i, j] = x[index[i, j]]
D gather() {
  D d(ONC_OP_EXPR);
  d.dims = {2, 3};
  d.in = {T(ONC_F16, {7}), T(ONC_I64, {2, 3})};
  d.out = {T(ONC_F32, {2, 3})};
  const uint16_t index = d.push(ONC_EX_INPUT, ONC_I64, 1);
  d.outs = {d.push(ONC_EX_GATHER, ONC_F32, 0, index)};
  return d;
}

D norms() {
  D d(ONC_OP_FOREACH_NORM);
  d.in = {T(ONC_F16, {2, 3}), T(ONC_F16, {}), T(ONC_F16, {0})};
  d.out = {T(ONC_F32, {3})};
  d.attrs<onc_foreach_norm_attrs>().kind = ONC_NORM_2;
  return d;
}

}  // namespace

TEST_CASE("expr: tables") {
  check_bad_cases({
      {"rank", gather,
       [](D& d) {
         *d.in[0] = T(ONC_F16, {7, 1});
       },
       "instruction 1 (gather): the table, input 0, is float16[7, 1]"},
      {"scalar", gather, [](D& d) { *d.in[0] = T(ONC_F16, {}); }, "the table, input 0, is float16[], not one-dimensional"},
      {"stride", gather, [](D& d) { *d.in[0] = T(ONC_F16, {7}, {2}); }, "is float16[7] with stride 2, not contiguous"},
      {"no such input", gather, [](D& d) { d.push(ONC_EX_GATHER, ONC_F32, 2, 0); },
       "instruction 2 (gather): there is no input 2: there are 2"},
      {"position later", gather, [](D& d) { d.insts[1].b = 1; }, "(gather): operand b is value 1, which does not come before it"},
      {"position is float", gather, [](D& d) { d.insts[0].dtype = ONC_F32; },
       "(gather): the position, value 0, is float32, not int32 or int64"},
      {"position is bool", gather, [](D& d) { d.insts[0].dtype = ONC_BOOL; }, "the position, value 0, is bool"},
      {"read twice", gather, [](D& d) { d.insts[0].a = 0; }, "instruction 0 (input): input 0 is a table, which gather alone reads"},
      {"absent", gather, [](D& d) { d.in[0].reset(); }, "[expr] input 0 is absent"},
      {"an input of other sizes", gather, [](D& d) { *d.in[1] = T(ONC_I64, {7}); }, "[expr] input 1 is int64[7]"},
      {"in a list", valid::foreach, [](D& d) { d.insts[2].op = ONC_EX_GATHER; }, "(gather): foreach reads no tables"},
  });
}

TEST_CASE("foreach_norm: what it demands") {
  check_bad_cases({
      {"integers", norms, [](D& d) { *d.in[0] = T(ONC_I32, {6}); }, "[foreach_norm] input 0 is int32, not floating"},
      {"mixed", norms, [](D& d) { *d.in[1] = T(ONC_F32, {}); }, "[foreach_norm] input 1 is float32[], but the list begins with"},
      {"strides", norms,
       [](D& d) {
         d.in[0]->strides = {6, 2};
       },
       "[foreach_norm] input 0 of sizes [2, 3] and strides [6, 2]"},
      {"absent", norms, [](D& d) { d.in[2].reset(); }, "[foreach_norm] input 2 is absent"},
      {"norms' dtype", norms, [](D& d) { *d.out[0] = T(ONC_F16, {3}); }, "[foreach_norm] norms is float16, not float32"},
      {"norms' sizes", norms, [](D& d) { *d.out[0] = T(ONC_F32, {2}); }, "[foreach_norm] norms has sizes [2], not [3]"},
      {"kind", norms, [](D& d) { d.attrs<onc_foreach_norm_attrs>().kind = 3; },
       "[foreach_norm] kind 3 is not the largest magnitude"},
      {"reserved", norms, [](D& d) { d.attrs<onc_foreach_norm_attrs>().reserved = 1; }, "[foreach_norm] attrs.reserved is 1"},
  });
}
