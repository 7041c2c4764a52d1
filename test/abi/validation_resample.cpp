// The kit refuses what padding, resampling, sampling and the pools of unlike windows cannot mean.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

D pad_descriptor() {
  D d(ONC_OP_PAD);
  auto& attrs = d.attrs<onc_pad_attrs>();
  attrs.mode = ONC_PAD_REFLECT;
  attrs.before[0] = 2;
  d.in = {T(ONC_F32, {4, 3})};
  d.out = {T(ONC_F32, {7, 3})};
  return d;
}
onc_pad_attrs& pad_attrs(D& d) { return d.attrs<onc_pad_attrs>(); }

D pad_grad_descriptor() {
  D d = pad_descriptor();
  d.op = ONC_OP_PAD_GRAD;
  std::swap(d.in, d.out);
  return d;
}

D upsample_descriptor() {
  D d(ONC_OP_UPSAMPLE);
  auto& attrs = d.attrs<onc_upsample_attrs>();
  attrs.spatial_rank = 2;
  attrs.mode = ONC_INTERPOLATE_LINEAR;
  d.in = {T(ONC_F32, {2, 3, 4, 5})};
  d.out = {T(ONC_F32, {2, 3, 8, 7})};
  return d;
}
onc_upsample_attrs& upsample_attrs(D& d) { return d.attrs<onc_upsample_attrs>(); }

D grid_descriptor() {
  D d(ONC_OP_GRID_SAMPLE);
  d.attrs<onc_grid_sample_attrs>().mode = ONC_INTERPOLATE_LINEAR;
  d.in = {T(ONC_F32, {2, 3, 4, 5}), T(ONC_F32, {2, 6, 7, 2})};
  d.out = {T(ONC_F32, {2, 3, 6, 7})};
  return d;
}
onc_grid_sample_attrs& grid_attrs(D& d) { return d.attrs<onc_grid_sample_attrs>(); }

D grid_grad_descriptor() {
  D d = grid_descriptor();
  d.op = ONC_OP_GRID_SAMPLE_GRAD;
  d.in = {T(ONC_F32, {2, 3, 6, 7}), T(ONC_F32, {2, 3, 4, 5}), T(ONC_F32, {2, 6, 7, 2})};
  d.out = {T(ONC_F32, {2, 3, 4, 5}), T(ONC_F32, {2, 6, 7, 2})};
  return d;
}

D adaptive_descriptor() {
  D d(ONC_OP_ADAPTIVE_MAX_POOL);
  d.in = {T(ONC_F32, {2, 3, 4, 5})};
  d.out = {T(ONC_F32, {2, 3, 2, 7}), T(ONC_I64, {2, 3, 2, 7})};
  return d;
}

D fractional_descriptor() {
  D d(ONC_OP_FRACTIONAL_MAX_POOL);
  auto& attrs = d.attrs<onc_fractional_pool_attrs>();
  attrs.spatial_rank = 2;
  attrs.kernel[0] = attrs.kernel[1] = 2;
  d.in = {T(ONC_F32, {2, 3, 6, 7}), T(ONC_F32, {2, 3, 2})};
  d.out = {T(ONC_F32, {2, 3, 3, 4}), T(ONC_I64, {2, 3, 3, 4})};
  return d;
}
onc_fractional_pool_attrs& fractional_attrs(D& d) { return d.attrs<onc_fractional_pool_attrs>(); }

}  // namespace

TEST_CASE("padding") {
  check_bad_cases({
      {"mode", pad_descriptor, [](D& d) { pad_attrs(d).mode = 4; }, "[pad] mode 4 is not constant"},
      {"reserved", pad_descriptor, [](D& d) { pad_attrs(d).reserved = 1; }, "[pad] attrs.reserved is 1"},
      {"rank", pad_descriptor, [](D& d) { *d.out[0] = T(ONC_F32, {21}); }, "[pad] y has rank 1, not 2"},
      {"too many dims", pad_descriptor,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {1, 1, 1, 1, 1, 1, 1, 1, 1});
       },
       "has rank 9, above 8"},
      {"dtype", pad_descriptor, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[pad] y is float64, not float32"},
      {"reflection", pad_descriptor, [](D& d) { pad_attrs(d).before[0] = 4; },
       "padding 4 before and -1 after in dim 0: reflection needs less than the size 4"},
      {"circular", pad_descriptor,
       [](D& d) {
         pad_attrs(d).mode = ONC_PAD_CIRCULAR;
         *d.out[0] = T(ONC_F32, {12, 3});
       },
       "padding 2 before and 6 after in dim 0: circular padding goes around once at most, the size being 4"},
      {"nothing to repeat", pad_descriptor,
       [](D& d) {
         pad_attrs(d).mode = ONC_PAD_REPLICATE;
         *d.in[0] = T(ONC_F32, {0, 3});
       },
       "is empty: there is nothing to pad it with"},
      {"huge", pad_descriptor, [](D& d) { pad_attrs(d).before[1] = INT64_MIN; }, "[pad] before -9223372036854775808 in dim 1"},
      {"integer gradient", pad_grad_descriptor, [](D& d) { d.in[0]->dtype = d.out[0]->dtype = ONC_I32; },
       "[pad_grad] grad_out is int32, not floating"},
  });
}

TEST_CASE("resampling") {
  check_bad_cases({
      {"spatial rank", upsample_descriptor, [](D& d) { upsample_attrs(d).spatial_rank = 4; }, "[upsample] spatial_rank 4"},
      {"mode", upsample_descriptor, [](D& d) { upsample_attrs(d).mode = 4; }, "[upsample] mode 4 is not nearest"},
      {"corners", upsample_descriptor,
       [](D& d) {
         upsample_attrs(d).mode = ONC_INTERPOLATE_NEAREST;
         upsample_attrs(d).align_corners = 1;
       },
       "align_corners is 1, but mode is nearest"},
      {"flag", upsample_descriptor, [](D& d) { upsample_attrs(d).antialias = 2; }, "[upsample] antialias is 2, neither 0 nor 1"},
      {"cubic volume", upsample_descriptor,
       [](D& d) {
         upsample_attrs(d).spatial_rank = 1;
         upsample_attrs(d).mode = ONC_INTERPOLATE_CUBIC;
         *d.in[0] = T(ONC_F32, {2, 3, 4});
         *d.out[0] = T(ONC_F32, {2, 3, 9});
       },
       "spatial_rank is 1, but mode cubic has 2"},
      {"scale", upsample_descriptor, [](D& d) { upsample_attrs(d).scale[1] = -0.5; },
       "scale -0.5 in spatial dim 1 is neither 0 nor"},
      {"channels", upsample_descriptor,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 4, 8, 7});
       },
       "do not share batch and channels"},
      {"empty", upsample_descriptor,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 3, 4, 0});
       },
       "spatial dim 1 of x float32[2, 3, 4, 0] is empty"},
      {"dtype", upsample_descriptor, [](D& d) { d.in[0]->dtype = d.out[0]->dtype = ONC_U8; },
       "[upsample] x is uint8, not floating"},
  });
}

TEST_CASE("sampling at coordinates") {
  check_bad_cases({
      {"mode", grid_descriptor, [](D& d) { grid_attrs(d).mode = ONC_INTERPOLATE_NEAREST_EXACT; }, "[grid_sample] mode 3 is not"},
      {"border", grid_descriptor, [](D& d) { grid_attrs(d).border = 3; }, "[grid_sample] border 3 is not zeros"},
      {"coordinates", grid_descriptor,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {2, 6, 7, 3});
       },
       "has 3 coordinates for 2 spatial dims"},
      {"batch", grid_descriptor,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {1, 6, 7, 2});
       },
       "do not share the batch: 2 and 1"},
      {"size", grid_descriptor,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {2, 3, 7, 6});
       },
       "[grid_sample] y has sizes [2, 3, 7, 6], not"},
      {"grid dtype", grid_descriptor, [](D& d) { d.in[1]->dtype = ONC_F64; }, "[grid_sample] grid is float64, not float32"},
      {"cubic volume", grid_descriptor,
       [](D& d) {
         grid_attrs(d).mode = ONC_INTERPOLATE_CUBIC;
         *d.in[0] = T(ONC_F32, {2, 3, 4, 5, 6});
         *d.in[1] = T(ONC_F32, {2, 1, 1, 7, 3});
         *d.out[0] = T(ONC_F32, {2, 3, 1, 1, 7});
       },
       "mode cubic has 2 spatial dims, not 3"},
      {"no output", grid_grad_descriptor,
       [](D& d) {
         d.out[0].reset();
         d.out[1].reset();
       },
       "[grid_sample_grad] all outputs are absent"},
      {"grad_grid", grid_grad_descriptor,
       [](D& d) {
         *d.out[1] = T(ONC_F32, {2, 6, 7, 3});
       },
       "[grid_sample_grad] grad_grid has sizes"},
  });
}

TEST_CASE("pools of unlike windows") {
  check_bad_cases({
      {"rank", adaptive_descriptor,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 3});
       },
       "[adaptive_max_pool] x has rank 2, below 3"},
      {"dtype", adaptive_descriptor, [](D& d) { d.in[0]->dtype = d.out[0]->dtype = ONC_I32; }, "x is int32, not floating"},
      {"no index", adaptive_descriptor, [](D& d) { d.out[1].reset(); }, "[adaptive_max_pool] index is absent"},
      {"index dtype", adaptive_descriptor, [](D& d) { d.out[1]->dtype = ONC_I32; }, "index is int32, not int64"},
      {"empty", adaptive_descriptor,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {2, 3, 0, 5});
       },
       "spatial dim 0 of x float32[2, 3, 0, 5] is empty"},
      {"one spatial dim", fractional_descriptor, [](D& d) { fractional_attrs(d).spatial_rank = 1; },
       "spatial_rank 1 is not 2 or 3"},
      {"kernel", fractional_descriptor, [](D& d) { fractional_attrs(d).kernel[1] = 8; },
       "kernel size 8 in spatial dim 1 is not in 1 ... 7"},
      {"too many outputs", fractional_descriptor, [](D& d) { fractional_attrs(d).kernel[0] = 5; },
       "output size 3 in spatial dim 0 needs an input of 7, not 6"},
      {"samples", fractional_descriptor,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {2, 3, 3});
       },
       "samples has sizes [2, 3, 3], not [2, 3, 2]"},
  });
}
