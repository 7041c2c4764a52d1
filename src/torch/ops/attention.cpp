// Attention: scaled_dot_product_attention asks here whether the ATTENTION op serves a call; what it does not, PyTorch composes of
// other ops ("math").
#include "torch/kernel.hpp"

#include <c10/util/OptionalArrayRef.h>

#include <ATen/Context.h>
#include <ATen/ExpandUtils.h>
#include <ATen/core/grad_mode.h>
#include <ATen/native/transformers/attention.h>
#include <ATen/ops/_fused_sdp_choice_ops.h>
#include <ATen/ops/_scaled_dot_product_fused_attention_overrideable_backward_ops.h>
#include <ATen/ops/_scaled_dot_product_fused_attention_overrideable_ops.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/empty_like.h>
#include <ATen/ops/scalar_tensor.h>

#include <array>
#include <cmath>
#include <string_view>

#include "torch/arguments.hpp"
#include "torch/generator.hpp"

namespace oncilla::adapter {
namespace {

constexpr int64_t kMostElements = 1024;  // of a key or a value: a row of each must fit any device's local memory
constexpr int64_t kMostHeads = 65535;

bool has_fp64(const at::Tensor& q) {
  // Names stand between spaces; others contain this one.
  const std::string features = std::string(" ") + device(q.device().index()).info().features + " ";
  return features.find(" fp64 ") != std::string::npos;
}

// Whether ATTENTION does this: q [B,H,L,E], k [B,G,S,E], v [B,G,S,D], a mask that broadcasts to [B,H,L,S].
bool serves(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask, double dropout, bool causal,
            bool grouped) {
  for (const at::Tensor& t : {q, k, v}) {
    if (t.layout() != c10::kStrided || t.is_nested() || t.dim() != 4 || t.device() != q.device() || t.numel() == 0) return false;
    if (t.scalar_type() != q.scalar_type() || t.size(0) != q.size(0) || t.size(3) > kMostElements) return false;
  }
  const auto type = q.scalar_type();
  if (type != at::kFloat && type != at::kHalf && type != at::kBFloat16 && (type != at::kDouble || !has_fp64(q))) return false;
  if (k.size(1) != v.size(1) || k.size(2) != v.size(2) || k.size(3) != q.size(3)) return false;
  if (grouped ? q.size(1) % k.size(1) != 0 : q.size(1) != k.size(1)) return false;
  if (q.size(0) > kMostHeads || q.size(1) > kMostHeads || !(dropout >= 0 && dropout <= 1)) return false;
  if (!mask.defined()) return true;
  return !causal && mask.layout() == c10::kStrided && mask.device() == q.device() &&
         (mask.scalar_type() == at::kBool || mask.scalar_type() == type) &&
         at::is_expandable_to(mask.sizes(), {q.size(0), q.size(1), q.size(2), k.size(2)});
}

int64_t sdp_choice(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Maybe& mask, double dropout, bool causal,
                   std::optional<double>, bool grouped) {
  const auto& context = at::globalContext();
  // The op has no gradient of a mask.
  const bool learned = mask && mask->defined() && mask->requires_grad() && at::GradMode::is_enabled();
  if (context.userEnabledOverrideableSDP() && !learned && serves(q, k, v, mask.value_or(at::Tensor()), dropout, causal, grouped))
    return static_cast<int64_t>(at::SDPBackend::overrideable);
  TORCH_CHECK(context.userEnabledMathSDP(), "No available kernel. Aborting execution.");
  return static_cast<int64_t>(at::SDPBackend::math);
}

struct Settings {
  onc_attention_attrs attributes{};
  double scale = 0, dropout = 0;
  uint64_t seed = 0, offset = 0;

  Settings(const at::Tensor& q, std::optional<double> given, double dropout, bool causal)
      : scale(given.value_or(1 / std::sqrt(static_cast<double>(q.size(3))))), dropout(dropout) {
    attributes.causal = causal;
    attributes.dropout = dropout > 0;
  }
  void bind(Op& op) const {
    op.attrs(attributes).scalar(scale).scalar(dropout);
    op.scalar_int(static_cast<int64_t>(seed)).scalar_int(static_cast<int64_t>(offset));
  }
};

at::Tensor full_mask(const at::Tensor& mask, const at::Tensor& q, const at::Tensor& k) {
  return mask.defined() ? mask.expand({q.size(0), q.size(1), q.size(2), k.size(2)}) : mask;
}
// Seed and offset of the generator travel to the backward as numbers on the CPU, as 64 bits of a signed dtype.
at::Tensor number(uint64_t value) {
  return at::scalar_tensor(static_cast<int64_t>(value), at::TensorOptions().dtype(at::kLong).device(at::kCPU));
}

using Forward =
    std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, c10::SymInt, c10::SymInt, at::Tensor, at::Tensor, at::Tensor>;

Forward attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const Maybe& bias, double dropout, bool causal,
                  bool, std::optional<double> scale) {
  const at::Tensor given = bias.value_or(at::Tensor());
  TORCH_CHECK_NOT_IMPLEMENTED(serves(q, k, v, given, dropout, causal, true), "[ocl] fused attention of q ", q.sizes(), ", k ",
                              k.sizes(), ", v ", v.sizes(), " in ", q.scalar_type());
  Settings settings(q, scale, dropout, causal);
  if (settings.attributes.dropout) std::tie(settings.seed, settings.offset) = next_draw(std::nullopt, q.device().index());
  const auto wide = wide_of(q.scalar_type());
  // Heads stand beside their elements in memory, as after most callers' transpose and as on the CPU.
  const at::Tensor y = at::empty({q.size(0), q.size(2), q.size(1), v.size(3)}, q.options()).transpose(1, 2);
  const at::Tensor lse = at::empty({q.size(0), q.size(1), q.size(2)}, q.options().dtype(wide)), mask = full_mask(given, q, k);
  Op op(ONC_OP_ATTENTION);
  op.in(in_ref(q)).in(in_ref(k)).in(in_ref(v));
  maybe_in(op, mask);
  op.out(out_ref(y)).out(out_ref(lse));
  settings.bind(op);
  run(op, q.device().index());
  return {y,
          lse,
          at::Tensor(),
          at::Tensor(),
          c10::SymInt(q.size(2)),
          c10::SymInt(k.size(2)),
          number(settings.seed),
          number(settings.offset),
          at::Tensor()};
}

std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor> attention_grad(
    const at::Tensor& grad, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& bias,
    std::array<bool, 4> wanted, const at::Tensor& y, const at::Tensor& lse, const at::Tensor&, const at::Tensor&, c10::SymInt,
    c10::SymInt, double dropout, bool causal, const at::Tensor& seed, const at::Tensor& offset, std::optional<double> scale) {
  TORCH_CHECK_NOT_IMPLEMENTED(!wanted[3], "[ocl] fused attention has no gradient of its mask");
  if (!grad.defined() || (!wanted[0] && !wanted[1] && !wanted[2])) return {};
  at::Tensor gq, gk, gv;
  if (wanted[0]) gq = at::empty_like(q);
  if (wanted[1]) gk = at::empty_like(k);
  if (wanted[2]) gv = at::empty_like(v);
  Settings settings(q, scale, dropout, causal);
  if (settings.attributes.dropout) {
    settings.seed = static_cast<uint64_t>(seed.item<int64_t>());
    settings.offset = static_cast<uint64_t>(offset.item<int64_t>());
  }
  const at::Tensor mask = full_mask(bias, q, k);
  Op op(ONC_OP_ATTENTION_GRAD);
  op.in(in_ref(grad)).in(in_ref(q)).in(in_ref(k)).in(in_ref(v));
  maybe_in(op, mask);
  op.in(in_ref(y)).in(in_ref(lse));
  maybe_out(op, gq);
  maybe_out(op, gk);
  maybe_out(op, gv);
  settings.bind(op);
  run(op, q.device().index());
  return {gq, gk, gv, at::Tensor()};
}

}  // namespace

// There is no CPU kernel to decline to: sdp_choice() has looked before.
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("_fused_sdp_choice", &sdp_choice);
  m.impl("_scaled_dot_product_fused_attention_overrideable", &attention);
  m.impl("_scaled_dot_product_fused_attention_overrideable_backward", &attention_grad);
}

}  // namespace oncilla::adapter

// scaled_dot_product_attention reads this table, not the registered op.
namespace at::native {
REGISTER_PRIVATEUSE1_DISPATCH(_fused_sdp_choice_stub, &oncilla::adapter::sdp_choice)
}  // namespace at::native
