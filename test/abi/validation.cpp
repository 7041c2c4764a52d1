// The kit refuses what does not fit: descriptors and tensors of every op. Tapes are in validation_tape.cpp, windows in
// validation_spatial.cpp.
#include "validation.hpp"

namespace {

using D = Descriptor;
using T = TensorSpec;

void next_unknown_op(onc_op_desc& d) { d.op = 1000; }

}  // namespace

TEST_CASE("descriptors of any op") {
  static const onc_ext short_variant{ONC_EXT_VARIANT, sizeof(onc_ext), nullptr};
  static const onc_ext_variant no_name{{ONC_EXT_VARIANT, sizeof(onc_ext_variant), nullptr}, nullptr};
  static const onc_ext_variant unknown{{ONC_EXT_VARIANT, sizeof(onc_ext_variant), nullptr}, "no_such_variant"};
  static onc_ext cycle{77, sizeof(onc_ext), &cycle};
  static const onc_softmax_attrs flagged{sizeof(onc_softmax_attrs), 4, nullptr, 1, 0};
  static const onc_softmax_attrs sizeless{0, 0, nullptr, 1, 0};
  check_bad_cases({
      {"unknown op", valid::softmax, [](D& d) { d.bend = next_unknown_op; }, "[plan_create] there is no op 1000"},
      {"op 0", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.op = 0; }; }, "there is no op 0"},
      {"size 0", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.size = 0; }; }, "desc.size 0 is not the size"},
      {"huge size", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.size = 0xffffffff; }; }, "desc.size 4294967295"},
      {"flags", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.flags = 2; }; }, "desc.flags 2"},
      {"too few inputs", valid::softmax, [](D& d) { d.in.clear(); }, "[softmax] 0 inputs are fewer than 1"},
      {"too many inputs", valid::softmax, [](D& d) { d.in.push_back(d.in[0]); }, "[softmax] 2 inputs are more than 1"},
      {"too few outputs", valid::softmax, [](D& d) { d.out.clear(); }, "[softmax] 0 outputs, but it has 1"},
      {"no input list", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.in = nullptr; }; },
       "1 inputs, but the list is NULL"},
      {"no output list", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.out = nullptr; }; },
       "1 outputs, but the list is NULL"},
      {"absent input", valid::softmax, [](D& d) { d.in[0].reset(); }, "[softmax] x is absent"},
      {"absent output", valid::softmax, [](D& d) { d.out[0].reset(); }, "[softmax] y is absent"},
      {"no attrs", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.attrs = nullptr; }; }, "[softmax] attrs is NULL"},
      {"attrs flags", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.attrs = &flagged; }; }, "[softmax] attrs.flags 4"},
      {"attrs size", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.attrs = &sizeless; }; }, "[softmax] attrs.size 0"},
      {"short variant", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.next = &short_variant; }; },
       "extension has size 16, below 24"},
      {"variant without name", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.next = &no_name.head; }; },
       "forced variant is NULL"},
      {"unknown variant", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.next = &unknown.head; }; },
       "no variant no_such_variant", ONC_NOT_FOUND},
      {"cycle of extensions", valid::softmax, [](D& d) { d.bend = [](onc_op_desc& o) { o.next = &cycle; }; }, "longer than 64"},
  });
}

TEST_CASE("tensors of any op") {
  check_bad_cases({
      {"size 0", valid::softmax, [](D& d) { d.in[0]->head.size = 0; }, "[softmax] input 0.size 0"},
      {"flags", valid::softmax, [](D& d) { d.out[0]->head.flags = 8; }, "[softmax] output 0.flags 8"},
      {"dtype 0", valid::softmax, [](D& d) { d.in[0]->dtype = 0; }, "[softmax] input 0 has the unknown dtype 0"},
      {"dtype 99", valid::softmax, [](D& d) { d.out[0]->dtype = 99; }, "[softmax] output 0 has the unknown dtype 99"},
      {"rank", valid::softmax, [](D& d) { *d.in[0] = T(ONC_F32, Sizes(17, 1)); }, "[softmax] input 0 has rank 17, above 16"},
      {"dims NULL", valid::softmax, [](D& d) { d.bend_tensors = [](auto& t) { t[0].dims = nullptr; }; },
       "input 0 has rank 3 and dims NULL"},
      {"strides NULL", valid::softmax, [](D& d) { d.bend_tensors = [](auto& t) { t[1].strides = nullptr; }; },
       "output 0 has rank 3 and strides NULL"},
      {"negative size", valid::softmax, [](D& d) { d.in[0]->dims[1] = -3; }, "input 0 has the negative size -3 in dim 1"},
      {"negative stride", valid::softmax, [](D& d) { d.in[0]->strides[2] = -1; }, "input 0 has the negative stride -1 in dim 2"},
      {"numel", valid::softmax,
       [](D& d) {
         d.in[0]->dims = {1 << 30, 1 << 30, 1 << 30};
       },
       "does not fit in 64-bit"},
      {"numel of an empty one", valid::softmax,
       [](D& d) {
         d.in[0]->dims = {int64_t{1} << 62, 0, 16};
       },
       "does not fit in 64-bit"},
      {"bytes", valid::softmax,
       [](D& d) {
         d.in[0]->dims = {int64_t{1} << 61, 1, 1};
       },
       "does not fit in 64-bit"},
      {"span", valid::softmax, [](D& d) { d.in[0]->strides[0] = INT64_MAX / 2; }, "does not fit in 64-bit"},
      {"broadcast output", valid::softmax, [](D& d) { d.out[0]->strides[0] = 0; },
       "output 0 of sizes [4, 3, 2] and strides [0, 2, 1] overlaps"},
      {"interleaved output", valid::softmax,
       [](D& d) {
         d.out[0]->strides = {1, 1, 1};
       },
       "strides [1, 1, 1] overlaps itself"},
  });
}

TEST_CASE("matmul") {
  const auto batched = [] {
    Descriptor d(ONC_OP_MATMUL);
    d.in = {T(ONC_F64, {2, 4, 5}), T(ONC_F64, {2, 5, 3})};
    d.out = {T(ONC_F64, {2, 4, 3})};
    return d;
  };
  check_bad_cases({
      {"integers", valid::matmul, [](D& d) { d.in[0]->dtype = ONC_I32; }, "[matmul] b is float32, not int32"},
      {"dtypes", valid::matmul, [](D& d) { d.in[1]->dtype = ONC_F64; }, "[matmul] b is float64, not float32"},
      {"output dtype", valid::matmul, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[matmul] d is float64, not float32"},
      {"K", valid::matmul,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {6, 3});
       },
       "do not share K: 5 and 6"},
      {"rank", valid::matmul, [](D& d) { *d.in[0] = T(ONC_F32, {5}); }, "[matmul] a has rank 1, not 2 or 3"},
      {"ranks", valid::matmul,
       [](D& d) {
         *d.in[1] = T(ONC_F32, {2, 5, 3});
       },
       "[matmul] b has rank 3, not 2"},
      {"batch", batched,
       [](D& d) {
         *d.in[1] = T(ONC_F64, {3, 5, 3});
       },
       "do not share the batch: 2 and 3"},
      {"c", valid::matmul, [](D& d) { *d.in[2] = T(ONC_F32, {3}); }, "[matmul] c has sizes [3], not [4, 3]"},
      {"d", valid::matmul,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {3, 4});
       },
       "[matmul] d has sizes [3, 4], not [4, 3]"},
  });
}

TEST_CASE("batch norm") {
  check_bad_cases({
      {"rank", valid::batch_norm, [](D& d) { *d.in[0] = T(ONC_F32, {4}); }, "[batch_norm] x has rank 1, below 2"},
      {"dtype", valid::batch_norm, [](D& d) { d.in[0]->dtype = ONC_I64; }, "[batch_norm] x is int64, not floating"},
      {"weight", valid::batch_norm, [](D& d) { *d.in[1] = T(ONC_F32, {4}); }, "[batch_norm] weight has sizes [4], not [3]"},
      {"weight dtype", valid::batch_norm, [](D& d) { d.in[1]->dtype = ONC_F64; }, "[batch_norm] weight is float64, not float32"},
      {"running mean", valid::batch_norm, [](D& d) { d.in[3].reset(); }, "[batch_norm] new_running_mean needs running_mean"},
      {"running var", valid::batch_norm, [](D& d) { d.in.resize(4); }, "[batch_norm] new_running_var needs running_var"},
      {"y", valid::batch_norm,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {4, 3});
       },
       "[batch_norm] y has sizes [4, 3], not [4, 3, 2]"},
      {"invstd", valid::batch_norm,
       [](D& d) {
         *d.out[2] = T(ONC_F32, {1, 3});
       },
       "[batch_norm] invstd has sizes [1, 3], not [3]"},
      {"empty", valid::batch_norm,
       [](D& d) {
         *d.in[0] = *d.out[0] = T(ONC_F32, {0, 3});
       },
       "float32[0, 3] has no element in a channel"},
      {"grad_out", valid::batch_norm_grad,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {4, 3});
       },
       "[batch_norm_grad] grad_out has sizes [4, 3]"},
      {"mean", valid::batch_norm_grad, [](D& d) { d.in[3].reset(); }, "[batch_norm_grad] mean is absent"},
      {"outputs", valid::batch_norm_grad,
       [](D& d) {
         d.out = {{}, {}, {}};
       },
       "[batch_norm_grad] all outputs are absent"},
      {"training", valid::batch_norm_grad, [](D& d) { d.attrs<onc_batch_norm_grad_attrs>().training = 2; },
       "training is 2, neither 0 nor 1"},
      {"reserved", valid::batch_norm_grad, [](D& d) { d.attrs<onc_batch_norm_grad_attrs>().reserved = 1; },
       "attrs.reserved is 1, not 0"},
      {"grad_bias", valid::batch_norm_grad, [](D& d) { d.out[2]->dtype = ONC_F64; },
       "[batch_norm_grad] grad_bias is float64, not float32"},
  });
}

TEST_CASE("softmax") {
  check_bad_cases({
      {"axis", valid::softmax, [](D& d) { d.attrs<onc_softmax_attrs>().axis = 3; },
       "[softmax] axis 3 is not below the rank of x float32[4, 3, 2]"},
      {"axis of a scalar", valid::softmax, [](D& d) { *d.in[0] = *d.out[0] = T(ONC_F32, {}); },
       "axis 1 is not below the rank of x float32[]"},
      {"log", valid::softmax, [](D& d) { d.attrs<onc_softmax_attrs>().log = 7; }, "[softmax] log is 7"},
      {"dtype", valid::softmax, [](D& d) { d.in[0]->dtype = ONC_BOOL; }, "[softmax] x is bool, not floating"},
      {"dtypes", valid::softmax, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[softmax] y is float64, not float32"},
      {"sizes", valid::softmax,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {4, 2, 3});
       },
       "[softmax] y has sizes [4, 2, 3], not [4, 3, 2]"},
      {"grad_out", valid::softmax_grad, [](D& d) { *d.in[0] = T(ONC_F32, {24}); }, "[softmax_grad] grad_out has sizes [24]"},
      {"grad_in", valid::softmax_grad, [](D& d) { d.out[0]->dtype = ONC_F16; }, "[softmax_grad] grad_in is float16, not float32"},
      {"grad axis", valid::softmax_grad, [](D& d) { d.attrs<onc_softmax_attrs>().axis = 4; }, "[softmax_grad] axis 4"},
  });
}

TEST_CASE("losses") {
  check_bad_cases({
      {"rank", valid::nll_loss, [](D& d) { *d.in[0] = T(ONC_F32, {3}); }, "[nll_loss] log_prob has rank 1, below 2"},
      {"target dtype", valid::nll_loss, [](D& d) { d.in[1]->dtype = ONC_I32; }, "[nll_loss] target is int32, not int64"},
      {"target sizes", valid::nll_loss, [](D& d) { *d.in[1] = T(ONC_I64, {4}); }, "[nll_loss] target has sizes [4], not [4, 2]"},
      {"weight", valid::nll_loss, [](D& d) { *d.in[2] = T(ONC_F32, {4}); }, "[nll_loss] weight has sizes [4], not [3]"},
      {"reduction", valid::nll_loss, [](D& d) { d.attrs<onc_loss_attrs>().reduction = 3; }, "[nll_loss] reduction 3 is not"},
      {"loss", valid::nll_loss, [](D& d) { *d.out[0] = T(ONC_F32, {1}); }, "[nll_loss] loss has sizes [1], not []"},
      {"unreduced loss", valid::nll_loss, [](D& d) { d.attrs<onc_loss_attrs>().reduction = 0; },
       "[nll_loss] loss has sizes [], not [4, 2]"},
      {"total_weight", valid::nll_loss, [](D& d) { d.out[1].reset(); }, "[nll_loss] total_weight is absent"},
      {"grad_loss", valid::nll_loss_grad,
       [](D& d) {
         *d.in[0] = T(ONC_F32, {4, 2});
       },
       "[nll_loss_grad] grad_loss has sizes [4, 2], not []"},
      {"grad total", valid::nll_loss_grad, [](D& d) { d.in[3].reset(); }, "[nll_loss_grad] total_weight is absent"},
      {"logits", valid::cross_entropy, [](D& d) { d.in[0]->dtype = ONC_U8; }, "[cross_entropy] logits is uint8, not floating"},
      {"lse", valid::cross_entropy, [](D& d) { *d.out[2] = T(ONC_F32, {4}); }, "[cross_entropy] lse has sizes [4], not [4, 2]"},
      {"loss dtype", valid::cross_entropy, [](D& d) { d.out[0]->dtype = ONC_F64; }, "[cross_entropy] loss is float64, not float32"},
      {"grad_logits", valid::cross_entropy_grad,
       [](D& d) {
         *d.out[0] = T(ONC_F32, {4, 3});
       },
       "[cross_entropy_grad] grad_logits has sizes [4, 3]"},
      {"grad lse", valid::cross_entropy_grad, [](D& d) { d.in[5].reset(); }, "[cross_entropy_grad] lse is absent"},
      {"reserved", valid::cross_entropy_grad, [](D& d) { d.attrs<onc_loss_attrs>().reserved = 9; }, "attrs.reserved is 9"},
  });
}

TEST_CASE("optional tensors may be absent, and empty ones are fine") {
  const Fixture f;
  Descriptor d = valid::batch_norm();
  d.in = {d.in[0]};
  d.out = {d.out[0], {}, {}, {}, {}};
  CHECK(d.plan(f).text == "");
  d = valid::batch_norm_grad();
  d.in[2].reset();
  d.out = {{}, d.out[1], {}};
  CHECK(d.plan(f).text == "");
  d = valid::matmul();
  d.in = {T(ONC_F32, {4, 0}), T(ONC_F32, {0, 3})};
  CHECK(d.plan(f).text == "");
  d = valid::softmax();
  *d.in[0] = *d.out[0] = T(ONC_F32, {0, 3});
  CHECK(d.plan(f).text == "");
  d = valid::max_pool();
  d.out[1].reset();
  CHECK(d.plan(f).text == "");
}
