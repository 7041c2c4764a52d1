// Cells of recurrent networks. PyTorch calls these fused ops on every device of our kind and has no CPU kernel of them to fall back
// to; here they are compositions of ops that run on the device.
#include <ATen/TensorOperators.h>
#include <ATen/core/Tensor.h>

#include <ATen/ops/cat.h>
#include <ATen/ops/sigmoid.h>
#include <ATen/ops/tanh.h>
#include <ATen/ops/zeros_like.h>
#include <torch/library.h>

#include <vector>

#include "torch/arguments.hpp"

namespace oncilla::adapter {
namespace {

at::Tensor join(const std::vector<at::Tensor>& gates) { return at::cat(gates, 1); }
bool given(const Maybe& t) { return t && t->defined(); }
at::Tensor with_bias(const at::Tensor& gates, const Maybe& bias) { return given(bias) ? gates + *bias : gates; }

// Gates in PyTorch's order: input, forget, cell, output. The workspace holds them activated.
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm(const at::Tensor& input_gates, const at::Tensor& hidden_gates,
                                                    const at::Tensor& cx, const Maybe& input_bias, const Maybe& hidden_bias) {
  const auto gates = (with_bias(input_gates, input_bias) + with_bias(hidden_gates, hidden_bias)).chunk(4, 1);
  const at::Tensor in = at::sigmoid(gates[0]), forget = at::sigmoid(gates[1]), cell = at::tanh(gates[2]),
                   out = at::sigmoid(gates[3]);
  const at::Tensor cy = forget * cx + in * cell;
  return {out * at::tanh(cy), cy, join({in, forget, cell, out})};
}
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_grad(const Maybe& grad_hy, const Maybe& grad_cy, const at::Tensor& cx,
                                                         const at::Tensor& cy, const at::Tensor& workspace, bool has_bias) {
  if (!given(grad_hy) && !given(grad_cy)) return {};
  const auto gates = workspace.chunk(4, 1);
  const at::Tensor &in = gates[0], &forget = gates[1], &cell = gates[2], &out = gates[3];
  const at::Tensor gh = given(grad_hy) ? *grad_hy : at::zeros_like(cx), squashed = at::tanh(cy);
  at::Tensor gc = gh * out * (1 - squashed * squashed);
  if (given(grad_cy)) gc = gc + *grad_cy;
  const at::Tensor grad_gates = join(
      {gc * cell * in * (1 - in), gc * cx * forget * (1 - forget), gc * in * (1 - cell * cell), gh * squashed * out * (1 - out)});
  return {grad_gates, gc * forget, has_bias ? grad_gates.sum(0) : at::Tensor()};
}

// Gates: reset, update, new. The workspace holds them activated, then hx and the hidden part of the new gate.
std::tuple<at::Tensor, at::Tensor> gru(const at::Tensor& input_gates, const at::Tensor& hidden_gates, const at::Tensor& hx,
                                       const Maybe& input_bias, const Maybe& hidden_bias) {
  const auto x = with_bias(input_gates, input_bias).chunk(3, 1), h = with_bias(hidden_gates, hidden_bias).chunk(3, 1);
  const at::Tensor reset = at::sigmoid(x[0] + h[0]), update = at::sigmoid(x[1] + h[1]), fresh = at::tanh(x[2] + reset * h[2]);
  return {fresh + update * (hx - fresh), join({reset, update, fresh, hx, h[2]})};
}
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> gru_grad(const at::Tensor& grad, const at::Tensor& workspace,
                                                                                bool has_bias) {
  const auto saved = workspace.chunk(5, 1);
  const at::Tensor &reset = saved[0], &update = saved[1], &fresh = saved[2], &hx = saved[3], &hidden = saved[4];
  const at::Tensor g_update = grad * (hx - fresh) * update * (1 - update), g_fresh = grad * (1 - update) * (1 - fresh * fresh);
  const at::Tensor g_reset = g_fresh * hidden * reset * (1 - reset);
  const at::Tensor g_input = join({g_reset, g_update, g_fresh}), g_hidden = join({g_reset, g_update, g_fresh * reset});
  return {g_input, g_hidden, grad * update, has_bias ? g_input.sum(0) : at::Tensor(), has_bias ? g_hidden.sum(0) : at::Tensor()};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("_thnn_fused_lstm_cell", &lstm);
  m.impl("_thnn_fused_lstm_cell_backward_impl", &lstm_grad);
  m.impl("_thnn_fused_gru_cell", &gru);
  m.impl("_thnn_fused_gru_cell_backward", &gru_grad);
}

}  // namespace oncilla::adapter
