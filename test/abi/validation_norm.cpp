// The kit refuses what does not fit: layer and group normalisation, statistics, label smoothing, CTC, and the dtypes beside halves.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

Descriptor layer_norm() {
  Descriptor d(ONC_OP_LAYER_NORM);
  d.attrs<onc_layer_norm_attrs>().normalized_rank = 2;
  d.in = {T(ONC_F16, {4, 3, 2}), T(ONC_F32, {3, 2}), T(ONC_F32, {3, 2})};
  d.out = {T(ONC_F16, {4, 3, 2}), T(ONC_F32, {4}), T(ONC_F32, {4})};
  return d;
}

Descriptor layer_norm_grad() {
  Descriptor d(ONC_OP_LAYER_NORM_GRAD);
  d.attrs<onc_layer_norm_attrs>().normalized_rank = 1;
  d.in = {T(ONC_F32, {4, 3}), T(ONC_F32, {4, 3}), T(ONC_F32, {3}), T(ONC_F32, {4}), T(ONC_F32, {4})};
  d.out = {T(ONC_F32, {4, 3}), T(ONC_F32, {3}), T(ONC_F32, {3})};
  return d;
}

Descriptor group_norm() {
  Descriptor d(ONC_OP_GROUP_NORM);
  d.attrs<onc_group_norm_attrs>().groups = 2;
  d.in = {T(ONC_F32, {3, 4, 5}), T(ONC_F32, {4}), T(ONC_F32, {4})};
  d.out = {T(ONC_F32, {3, 4, 5}), T(ONC_F32, {3, 2}), T(ONC_F32, {3, 2})};
  return d;
}

Descriptor group_norm_grad() {
  Descriptor d(ONC_OP_GROUP_NORM_GRAD);
  d.attrs<onc_group_norm_attrs>().groups = 2;
  d.in = {T(ONC_F32, {3, 4, 5}), T(ONC_F32, {3, 4, 5}), T(ONC_F32, {4}), T(ONC_F32, {3, 2}), T(ONC_F32, {3, 2})};
  d.out = {T(ONC_F32, {3, 4, 5}), T(ONC_F32, {4}), T(ONC_F32, {4})};
  return d;
}

Descriptor var_mean() {
  Descriptor d(ONC_OP_VAR_MEAN);
  d.attrs<onc_var_mean_attrs>().reduce_rank = 1;
  d.in = {T(ONC_BF16, {4, 3})};
  d.out = {T(ONC_BF16, {4}), T(ONC_BF16, {4})};
  return d;
}

Descriptor ctc_loss() {
  Descriptor d(ONC_OP_CTC_LOSS);
  d.attrs<onc_ctc_attrs>().blank = 4;
  d.in = {T(ONC_F16, {7, 3, 5}), T(ONC_I64, {3, 2}), T(ONC_I64, {3}), T(ONC_I64, {3})};
  d.out = {T(ONC_F16, {3}), T(ONC_F32, {3, 7, 5})};
  return d;
}

Descriptor ctc_loss_grad() {
  Descriptor d(ONC_OP_CTC_LOSS_GRAD);
  d.attrs<onc_ctc_attrs>().zero_infinity = 1;
  d.in = {T(ONC_F32, {3}), T(ONC_F32, {7, 3, 5}), T(ONC_I64, {3, 2}),   T(ONC_I64, {3}),
          T(ONC_I64, {3}), T(ONC_F32, {3}),       T(ONC_F32, {3, 7, 5})};
  d.out = {T(ONC_F32, {7, 3, 5})};
  return d;
}

// Batch normalisation of halves with float32 parameters, as PyTorch's autocast runs it.
Descriptor mixed_batch_norm() {
  Descriptor d = valid::batch_norm();
  for (auto* t : {&d.in[0], &d.out[0]}) (*t)->dtype = ONC_BF16;
  return d;
}

Descriptor half_cross_entropy() {
  Descriptor d = valid::cross_entropy();
  for (auto* t : {&d.in[0], &d.in[2], &d.out[0]}) (*t)->dtype = ONC_F16;
  return d;
}

}  // namespace

TEST_CASE("layer norm") {
  check_bad_cases({
      {"no dims", layer_norm, [](D& d) { d.attrs<onc_layer_norm_attrs>().normalized_rank = 0; },
       "[layer_norm] normalized_rank 0 is not in 1 ... 3"},
      {"too many", layer_norm, [](D& d) { d.attrs<onc_layer_norm_attrs>().normalized_rank = 4; },
       "normalized_rank 4 is not in 1 ... 3"},
      {"rms", layer_norm, [](D& d) { d.attrs<onc_layer_norm_attrs>().rms = 2; }, "[layer_norm] rms is 2, neither 0 nor 1"},
      {"mean of rms", layer_norm, [](D& d) { d.attrs<onc_layer_norm_attrs>().rms = 1; }, "[layer_norm] mean is no output of rms"},
      {"weight", layer_norm, [](D& d) { *d.in[1] = T(ONC_F32, {2}); }, "[layer_norm] weight has sizes [2], not [3, 2]"},
      {"weight dtype", layer_norm, [](D& d) { d.in[1]->dtype = ONC_F64; },
       "[layer_norm] weight is float64, not float16 or float32"},
      {"bias dtype", layer_norm, [](D& d) { d.in[2]->dtype = ONC_F16; }, "[layer_norm] bias is float16, but weight is float32"},
      {"mean dtype", layer_norm, [](D& d) { d.out[1]->dtype = ONC_F16; }, "[layer_norm] mean is float16, not float32"},
      {"invstd", layer_norm,
       [](D& d) {
         *d.out[2] = T(ONC_F32, {4, 1});
       },
       "[layer_norm] invstd has sizes [4, 1], not [4]"},
      {"integers", layer_norm, [](D& d) { d.in[0]->dtype = ONC_I32; }, "[layer_norm] x is int32, not floating"},
      {"empty rows", layer_norm,
       [](D& d) {
         *d.in[0] = T(ONC_F16, {4, 3, 0});
       },
       "float16[4, 3, 0] has rows without elements"},
      {"no mean", layer_norm_grad, [](D& d) { d.in[3].reset(); }, "[layer_norm_grad] mean is absent"},
      {"mean of rms in", layer_norm_grad, [](D& d) { d.attrs<onc_layer_norm_attrs>().rms = 1; },
       "[layer_norm_grad] mean is no input of rms"},
      {"no outputs", layer_norm_grad,
       [](D& d) {
         d.out = {{}, {}, {}};
       },
       "[layer_norm_grad] all outputs are absent"},
      {"grad_bias", layer_norm_grad, [](D& d) { *d.out[2] = T(ONC_F32, {4}); },
       "[layer_norm_grad] grad_bias has sizes [4], not [3]"},
  });
}

TEST_CASE("group norm") {
  check_bad_cases({
      {"no groups", group_norm, [](D& d) { d.attrs<onc_group_norm_attrs>().groups = 0; }, "[group_norm] groups 0 do not divide"},
      {"groups", group_norm, [](D& d) { d.attrs<onc_group_norm_attrs>().groups = 3; },
       "[group_norm] groups 3 do not divide the channels of x float32[3, 4, 5]"},
      {"rank", group_norm, [](D& d) { *d.in[0] = T(ONC_F32, {4}); }, "[group_norm] x has rank 1, below 2"},
      {"empty", group_norm,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {3, 4, 0});
       },
       "float32[3, 4, 0] has groups without elements"},
      {"mean", group_norm,
       [](D& d) {
         *d.out[1] = T(ONC_F32, {2, 3});
       },
       "[group_norm] mean has sizes [2, 3], not [3, 2]"},
      {"reserved", group_norm, [](D& d) { d.attrs<onc_group_norm_attrs>().reserved = 1; }, "[group_norm] attrs.reserved is 1"},
      {"invstd", group_norm_grad, [](D& d) { d.in[4].reset(); }, "[group_norm_grad] invstd is absent"},
      {"grad_in", group_norm_grad, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[group_norm_grad] grad_in is float64, not float32"},
  });
}

TEST_CASE("var_mean") {
  check_bad_cases({
      {"rank", var_mean, [](D& d) { d.attrs<onc_var_mean_attrs>().reduce_rank = 3; },
       "[var_mean] reduce_rank 3 is above the rank of x"},
      {"dtype", var_mean, [](D& d) { d.in[0]->dtype = ONC_I64; }, "[var_mean] x is int64, not floating"},
      {"var", var_mean, [](D& d) { *d.out[0] = T(ONC_BF16, {3}); }, "[var_mean] var has sizes [3], not [4]"},
      {"mean", var_mean, [](D& d) { d.out[1]->dtype = ONC_F32; }, "[var_mean] mean is float32, not bfloat16"},
      {"outputs", var_mean,
       [](D& d) {
         d.out = {{}, {}};
       },
       "[var_mean] all outputs are absent"},
  });
}

TEST_CASE("ctc loss") {
  check_bad_cases({
      {"blank", ctc_loss, [](D& d) { d.attrs<onc_ctc_attrs>().blank = 5; },
       "[ctc_loss] blank 5 is no class of log_prob float16[7, 3, 5]"},
      {"negative blank", ctc_loss, [](D& d) { d.attrs<onc_ctc_attrs>().blank = -1; }, "[ctc_loss] blank -1 is no class"},
      {"rank", ctc_loss,
       [](D& d) {
         *d.in[0] = T(ONC_F16, {7, 5});
       },
       "[ctc_loss] log_prob has rank 2, not 3"},
      {"target rank", ctc_loss, [](D& d) { *d.in[1] = T(ONC_I64, {6}); }, "[ctc_loss] target has rank 1, not 2"},
      {"target", ctc_loss,
       [](D& d) {
         *d.in[1] = T(ONC_I64, {4, 2});
       },
       "[ctc_loss] target has sizes [4, 2], not [3, 2]"},
      {"length dtype", ctc_loss, [](D& d) { d.in[2]->dtype = ONC_I32; }, "[ctc_loss] input_length is int32, not int64"},
      {"target_length", ctc_loss, [](D& d) { *d.in[3] = T(ONC_I64, {2}); }, "[ctc_loss] target_length has sizes [2], not [3]"},
      {"log_alpha", ctc_loss,
       [](D& d) {
         *d.out[1] = T(ONC_F32, {3, 7, 4});
       },
       "[ctc_loss] log_alpha has sizes [3, 7, 4], not [3, 7, 5]"},
      {"log_alpha dtype", ctc_loss, [](D& d) { d.out[1]->dtype = ONC_F16; }, "[ctc_loss] log_alpha is float16, not float32"},
      {"zero_infinity", ctc_loss_grad, [](D& d) { d.attrs<onc_ctc_attrs>().zero_infinity = 3; },
       "[ctc_loss_grad] zero_infinity is 3"},
      {"grad_loss", ctc_loss_grad, [](D& d) { *d.in[0] = T(ONC_F32, {}); }, "[ctc_loss_grad] grad_loss has sizes [], not [3]"},
      {"grad", ctc_loss_grad,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {3, 7, 5});
       },
       "grad_log_prob has sizes [3, 7, 5], not [7, 3, 5]"},
  });
}

TEST_CASE("what stands beside halves, and label smoothing") {
  check_bad_cases({
      {"mixed parameters", mixed_batch_norm, [](D& d) { d.in[3]->dtype = ONC_BF16; },
       "[batch_norm] running_mean is bfloat16, but weight is float32"},
      {"saved mean", mixed_batch_norm, [](D& d) { d.out[1]->dtype = ONC_BF16; }, "[batch_norm] mean is bfloat16, not float32"},
      {"lse", half_cross_entropy, [](D& d) { d.out[2]->dtype = ONC_F16; }, "[cross_entropy] lse is float16, not float32"},
      {"total", half_cross_entropy, [](D& d) { d.out[1]->dtype = ONC_F16; },
       "[cross_entropy] total_weight is float16, not float32"},
      {"weight", half_cross_entropy, [](D& d) { d.in[2]->dtype = ONC_F32; }, "[cross_entropy] weight is float32, not float16"},
      {"above one", valid::cross_entropy, [](D& d) { d.attrs<onc_loss_attrs>().label_smoothing = 1.5; },
       "label_smoothing 1.5 is not in 0 ... 1"},
      {"negative", valid::cross_entropy_grad, [](D& d) { d.attrs<onc_loss_attrs>().label_smoothing = -0.5; },
       "label_smoothing -0.5 is not in"},
      {"nll", valid::nll_loss, [](D& d) { d.attrs<onc_loss_attrs>().label_smoothing = 0.1; },
       "[nll_loss] label_smoothing 0.1 belongs to cross_entropy"},
  });
}
