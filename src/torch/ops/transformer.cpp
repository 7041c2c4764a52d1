// What nn.TransformerEncoder and nn.MultiheadAttention call in inference (their "fast path"): PyTorch's own compositions, on the
// device's products and softmax, and the one step that they leave to a kernel.
#include "torch/kernel.hpp"

#include <ATen/ops/_native_multi_head_attention_native.h>
#include <ATen/ops/_native_multi_head_attention_ops.h>
#include <ATen/ops/_nested_tensor_from_mask_left_aligned_ops.h>
#include <ATen/ops/_transform_bias_rescale_qkv_ops.h>
#include <ATen/ops/_transformer_encoder_layer_fwd_native.h>
#include <ATen/ops/_transformer_encoder_layer_fwd_ops.h>
#include <ATen/ops/empty.h>

#include <cmath>

#include "torch/arguments.hpp"

namespace oncilla::adapter {
namespace {

// qkv [batch, length, 3 * width] plus its bias, as heads [3, batch, heads, length, width / heads]; queries are scaled.
std::tuple<at::Tensor, at::Tensor, at::Tensor> split_heads(const at::Tensor& qkv, const at::Tensor& bias, int64_t heads) {
  need_floating(qkv, "attention");
  if (qkv.is_nested()) throw Declined("a nested tensor");
  TORCH_CHECK(qkv.dim() == 3 && qkv.size(2) % 3 == 0 && qkv.size(2) / 3 % heads == 0, "expected [batch, length, 3 * ", heads,
              " * width], but got ", qkv.sizes());
  const int64_t batch = qkv.size(0), length = qkv.size(1), width = qkv.size(2) / 3 / heads;
  const at::Tensor out = at::empty({3, batch, heads, length, width}, qkv.options());
  out.copy_(qkv.add(bias).view({batch, length, 3, heads, width}).permute({2, 0, 3, 1, 4}));
  out[0].mul_(1 / std::sqrt(static_cast<double>(width)));
  return {out[0], out[1], out[2]};
}

std::tuple<at::Tensor, at::Tensor> multi_head_attention(const at::Tensor& query, const at::Tensor& key, const at::Tensor& value,
                                                        int64_t width, int64_t heads, const at::Tensor& qkv_weight,
                                                        const at::Tensor& qkv_bias, const at::Tensor& out_weight,
                                                        const at::Tensor& out_bias, const Maybe& mask, bool need_weights,
                                                        bool average, std::optional<int64_t> mask_type) {
  need_floating(query, "attention");
  if (query.is_nested()) throw Declined("a nested tensor");
  return at::native::native_multi_head_attention_cpu(query, key, value, width, heads, qkv_weight, qkv_bias, out_weight, out_bias,
                                                     mask, need_weights, average, mask_type);
}

at::Tensor encoder_layer(const at::Tensor& src, int64_t width, int64_t heads, const at::Tensor& qkv_weight,
                         const at::Tensor& qkv_bias, const at::Tensor& out_weight, const at::Tensor& out_bias, bool gelu,
                         bool norm_first, double eps, const at::Tensor& norm_weight_1, const at::Tensor& norm_bias_1,
                         const at::Tensor& norm_weight_2, const at::Tensor& norm_bias_2, const at::Tensor& weight_1,
                         const at::Tensor& bias_1, const at::Tensor& weight_2, const at::Tensor& bias_2, const Maybe& mask,
                         std::optional<int64_t> mask_type) {
  need_floating(src, "a transformer");
  if (src.is_nested()) throw Declined("a nested tensor");
  return at::native::transformer_encoder_layer_forward(src, width, heads, qkv_weight, qkv_bias, out_weight, out_bias, gelu,
                                                       norm_first, eps, norm_weight_1, norm_bias_1, norm_weight_2, norm_bias_2,
                                                       weight_1, bias_1, weight_2, bias_2, mask, mask_type);
}

// nn.TransformerEncoder asks this before it makes a nested tensor of what the mask leaves, and keeps the padding where it may not:
// there are no nested tensors here.
bool can_be_nested(const at::Tensor&, const at::Tensor&) { return false; }

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  kernel<at::_ops::_transform_bias_rescale_qkv, split_heads>(m);
  kernel<at::_ops::_native_multi_head_attention, multi_head_attention>(m);
  kernel<at::_ops::_nested_tensor_from_mask_left_aligned, can_be_nested>(m);
  kernel<at::_ops::_transformer_encoder_layer_fwd, encoder_layer>(m);
}

}  // namespace oncilla::adapter
