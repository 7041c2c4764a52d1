// The kit refuses windows that do not fit: convolution and pooling.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

onc_conv_attrs& conv_attrs(D& d) { return d.attrs<onc_conv_attrs>(); }
onc_pool_attrs& pool_attrs(D& d) { return d.attrs<onc_pool_attrs>(); }

}  // namespace

TEST_CASE("convolution") {
  check_bad_cases({
      {"spatial rank 0", valid::conv, [](D& d) { conv_attrs(d).spatial_rank = 0; }, "[conv] spatial_rank 0 is not 1, 2 or 3"},
      {"spatial rank 4", valid::conv, [](D& d) { conv_attrs(d).spatial_rank = 4; }, "[conv] spatial_rank 4 is not 1, 2 or 3"},
      {"three dims", valid::conv, [](D& d) { conv_attrs(d).spatial_rank = 3; }, "[conv] x has rank 4, not 5"},
      {"one dim", valid::conv_grad_weight, [](D& d) { conv_attrs(d).spatial_rank = 1; }, "[conv_grad_weight] x has rank 4, not 3"},
      {"a third stride", valid::conv,
       [](D& d) {
         conv_attrs(d).spatial_rank = 3;
         conv_attrs(d).dilation[2] = 1;
         *d.in[0] = T(ONC_F32, {2, 4, 7, 5, 1});
         *d.in[1] = T(ONC_F32, {6, 2, 3, 3, 1});
         *d.out[0] = T(ONC_F32, {2, 6, 4, 3, 1});
       },
       "[conv] stride 0 in spatial dim 2"},
      {"bias beside halves", valid::conv,
       [](D& d) {
         d.in[0]->dtype = d.in[1]->dtype = d.out[0]->dtype = ONC_F16;
         d.in[2]->dtype = ONC_BF16;
       },
       "[conv] bias is bfloat16, not float16 or float32"},
      {"groups 0", valid::conv, [](D& d) { conv_attrs(d).groups = 0; }, "[conv] groups is 0"},
      {"groups of inputs", valid::conv, [](D& d) { conv_attrs(d).groups = 3; }, "4 input channels do not divide into 3 groups"},
      {"groups of outputs", valid::conv, [](D& d) { conv_attrs(d).groups = 4; }, "6 output channels do not divide into 4 groups"},
      {"channels", valid::conv, [](D& d) { conv_attrs(d).groups = 1; },
       "w float32[6, 2, 3, 3] does not match 4 input channels in 1 groups"},
      {"stride", valid::conv, [](D& d) { conv_attrs(d).stride[1] = 0; }, "[conv] stride 0 in spatial dim 1"},
      {"huge stride", valid::conv, [](D& d) { conv_attrs(d).stride[0] = int64_t{1} << 40; },
       "stride 1099511627776 in spatial dim 0"},
      {"pad", valid::conv, [](D& d) { conv_attrs(d).pad[0] = -1; }, "[conv] pad -1 in spatial dim 0"},
      {"dilation", valid::conv, [](D& d) { conv_attrs(d).dilation[0] = 0; }, "[conv] dilation 0 in spatial dim 0"},
      {"huge dilation", valid::conv, [](D& d) { conv_attrs(d).dilation[1] = INT64_MAX; }, "dilation 9223372036854775807"},
      {"empty kernel", valid::conv,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {6, 2, 0, 3});
       },
       "kernel size 0 in spatial dim 0"},
      {"too large", valid::conv, [](D& d) { conv_attrs(d).dilation[1] = 4; },
       "a kernel of 3 with dilation 4 does not fit in 5 with pad 1"},
      {"output size", valid::conv,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 6, 4, 4});
       },
       "[conv] output size 4 in spatial dim 1 is not 3"},
      {"batch", valid::conv,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {3, 6, 4, 3});
       },
       "do not share the batch: 2 and 3"},
      {"filters", valid::conv,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 5, 4, 3});
       },
       "does not have the 6 channels of w"},
      {"bias", valid::conv, [](D& d) { *d.in[2] = T(ONC_F32, {5}); }, "[conv] bias has sizes [5], not [6]"},
      {"bias dtype", valid::conv, [](D& d) { d.in[2]->dtype = ONC_F64; }, "[conv] bias is float64, not float32"},
      {"dtype", valid::conv, [](D& d) { d.in[0]->dtype = ONC_I8; }, "[conv] x is int8, not floating"},
      {"weight dtype", valid::conv, [](D& d) { d.in[1]->dtype = ONC_BF16; }, "[conv] w is bfloat16, not float32"},
      {"rank", valid::conv,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {4, 7, 5});
       },
       "[conv] x has rank 3, not 4"},
      {"grad_in", valid::conv_grad_input,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 4, 9, 5});
       },
       "[conv_grad_input] output size 4 in spatial dim 0 is not 5"},
      {"grad_out", valid::conv_grad_input, [](D& d) { d.in[0].reset(); }, "[conv_grad_input] grad_out is absent"},
      {"grad_w", valid::conv_grad_weight,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {6, 4, 3, 3});
       },
       "[conv_grad_weight] grad_w float32[6, 4, 3, 3]"},
      {"grad_w dtype", valid::conv_grad_weight, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[conv_grad_weight] grad_w is float64"},
  });
}

TEST_CASE("pooling") {
  check_bad_cases({
      {"spatial rank", valid::max_pool, [](D& d) { pool_attrs(d).spatial_rank = 5; }, "[max_pool] spatial_rank 5"},
      {"one dim", valid::avg_pool, [](D& d) { pool_attrs(d).spatial_rank = 1; }, "[avg_pool] x has rank 4, not 3"},
      {"kernel", valid::max_pool, [](D& d) { pool_attrs(d).kernel[1] = 0; }, "[max_pool] kernel size 0 in spatial dim 1"},
      {"stride", valid::max_pool, [](D& d) { pool_attrs(d).stride[0] = -2; }, "[max_pool] stride -2 in spatial dim 0"},
      {"pad", valid::max_pool, [](D& d) { pool_attrs(d).pad[0] = 2; },
       "[max_pool] pad 2 in spatial dim 0 is above half of the window's 3"},
      {"dilation", valid::max_pool, [](D& d) { pool_attrs(d).dilation[1] = 0; }, "[max_pool] dilation 0 in spatial dim 1"},
      {"average dilation", valid::avg_pool, [](D& d) { pool_attrs(d).dilation[1] = 2; },
       "dilation 2 in spatial dim 1: average pooling has none"},
      {"too small", valid::max_pool,
       [](D& d) {
         *d.out[0] = *d.out[1] = T(ONC_I64, {2, 3, 3, 3}), d.out[0]->dtype = ONC_F32;
       },
       "output size 3 in spatial dim 0 is not in 4 ... 4"},
      {"too large", valid::avg_pool,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 3, 4, 4});
       },
       "output size 4 in spatial dim 1 is not in 3 ... 3"},
      {"begins behind", valid::avg_pool,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 3, 6, 6}), pool_attrs(d).stride[0] = 4, pool_attrs(d).kernel[0] = 1, pool_attrs(d).pad[0] = 0,
         *d.out[0] = T(ONC_F32, {2, 3, 3, 3});
       },
       "output size 3 in spatial dim 0: the last window begins behind"},
      {"empty", valid::avg_pool,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 3, 0, 3});
       },
       "output size 0 in spatial dim 0 is not in 4 ... 4"},
      {"channels", valid::max_pool,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 4, 7, 6});
       },
       "do not share batch and channels"},
      {"dtype", valid::avg_pool, [](D& d) { d.in[0]->dtype = ONC_I32; }, "[avg_pool] x is int32, not floating"},
      {"bool", valid::max_pool, [](D& d) { d.in[0]->dtype = ONC_BOOL; }, "[max_pool] x is bool, which has no maximum"},
      {"integer gradient", valid::max_pool_grad, [](D& d) { d.in[0]->dtype = ONC_I32; }, "[max_pool_grad] grad_out is int32"},
      {"index dtype", valid::max_pool, [](D& d) { d.out[1]->dtype = ONC_I32; }, "[max_pool] index is int32, not int64"},
      {"index sizes", valid::max_pool_grad,
       [](D& d) {
         *d.in[1] = T(ONC_I64, {2, 3, 4, 4});
       },
       "[max_pool_grad] index has sizes [2, 3, 4, 4]"},
      {"grad rank", valid::max_pool_grad,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {6, 4, 3});
       },
       "[max_pool_grad] grad_out has rank 3, not 4"},
      {"divisor", valid::avg_pool, [](D& d) { pool_attrs(d).divisor_override = -1; }, "[avg_pool] divisor_override -1 is negative"},
      {"count", valid::avg_pool, [](D& d) { pool_attrs(d).count_include_pad = 2; }, "[avg_pool] count_include_pad is 2"},
      {"grad_in", valid::avg_pool_grad,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 3, 12, 6});
       },
       "[avg_pool_grad] output size 4 in spatial dim 0"},
  });
}

TEST_CASE("pooling rounds up or down") {
  const Fixture f;
  Descriptor d = valid::avg_pool();
  pool_attrs(d).pad[0] = 0;
  pool_attrs(d).kernel[0] = 2;  // over 7: 3 whole windows, and a fourth that is cut off
  for (const int64_t p : {3, 4}) {
    *d.out[0] = T(ONC_F32, {2, 3, p, 3});
    CHECK(d.plan(f).text == "");
  }
  pool_attrs(d).kernel[0] = 9;  // larger than the input: only rounding up gives a window
  pool_attrs(d).stride[0] = 3;
  *d.out[0] = T(ONC_F32, {2, 3, 1, 3});
  CHECK(d.plan(f).text == "");
}
