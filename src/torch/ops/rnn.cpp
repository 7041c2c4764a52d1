// Cells of recurrent networks, each a kernel forwards and one backwards. PyTorch calls these ops on every device of our kind and
// has no CPU kernel of them to fall back to.
#include <ATen/core/Tensor.h>

#include <ATen/ops/empty.h>
#include <torch/library.h>

#include "torch/arguments.hpp"
#include "torch/recurrent.hpp"

namespace oncilla::adapter {
namespace {

// The products' sums [N, gates * H], biases [gates * H] that may be absent, and a state [N, H].
struct Cell {
  int64_t n, h;
  at::Tensor x, hidden, x_bias, h_bias;
  bool bias;

  Cell(const char* op, int64_t gates, const at::Tensor& input, const at::Tensor& hidden_sums, const at::Tensor& state,
       const Maybe& input_bias, const Maybe& hidden_bias)
      : x(input), hidden(hidden_sums), x_bias(of(input_bias)), h_bias(of(hidden_bias)), bias(x_bias.defined()) {
    TORCH_CHECK(state.dim() == 2, op, ": expected a state of two dims, but got ", state.sizes());
    n = state.size(0), h = state.size(1);
    const std::array<int64_t, 2> wanted{n, gates * h};
    TORCH_CHECK(x.sizes() == at::IntArrayRef(wanted), op, ": expected input gates of ", at::IntArrayRef(wanted), ", but got ",
                x.sizes());
    TORCH_CHECK(hidden.sizes() == at::IntArrayRef(wanted), op, ": expected hidden gates of ", at::IntArrayRef(wanted), ", but got ",
                hidden.sizes());
    TORCH_CHECK(x_bias.defined() == h_bias.defined(), op, ": expected both biases or neither");
    for (const at::Tensor& t : {x, hidden, state, x_bias, h_bias}) {
      if (!t.defined()) continue;
      TORCH_CHECK(t.device() == x.device(), "Expected all tensors to be on the same device, but found at least two devices, ",
                  x.device(), " and ", t.device(), "!");
      TORCH_CHECK(t.scalar_type() == x.scalar_type() && t.is_floating_point(), op,
                  ": expected tensors of one floating dtype, but got ", x.scalar_type(), " and ", t.scalar_type());
    }
    for (const at::Tensor& t : {x_bias, h_bias})
      TORCH_CHECK(!t.defined() || (t.dim() == 1 && t.size(0) == gates * h), op, ": expected a bias of ", gates * h,
                  " elements, but got ", t.sizes());
  }
  at::Tensor make(int64_t blocks) const { return at::empty({n, blocks * h}, x.options()); }
};

// Gates in PyTorch's order: input, forget, cell, output. The workspace holds them activated.
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm(const at::Tensor& input_gates, const at::Tensor& hidden_gates,
                                                    const at::Tensor& cx, const Maybe& input_bias, const Maybe& hidden_bias) {
  const Cell cell("_thnn_fused_lstm_cell", 4, input_gates, hidden_gates, cx, input_bias, hidden_bias);
  const at::Tensor hy = cell.make(1), cy = cell.make(1), workspace = cell.make(4);
  if (cx.numel() == 0) return {hy, cy, workspace};
  Blocks blocks(cell.n, cell.h);
  blocks.in(cell.x, 0, 4).in(cell.hidden, 0, 4).in(cell.x_bias, 0, 4).in(cell.h_bias, 0, 4).in(cx);
  blocks.out(hy).out(cy).out(workspace, 0, 4).run(lstm_tape(need_dtype(cx.scalar_type()), cell.bias), cx.device().index());
  return {hy, cy, workspace};
}
std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm_grad(const Maybe& grad_hy, const Maybe& grad_cy, const at::Tensor& cx,
                                                         const at::Tensor& cy, const at::Tensor& workspace, bool has_bias) {
  const at::Tensor gh = of(grad_hy), gc = of(grad_cy);
  if (!gh.defined() && !gc.defined()) return {};
  const at::Tensor grad_gates = at::empty(workspace.sizes(), workspace.options()), grad_cx = at::empty(cx.sizes(), cx.options());
  if (cx.numel() > 0) {
    Blocks blocks(cx.size(0), cx.size(1));
    blocks.in(gh).in(gc).in(workspace, 0, 4).in(cx).in(cy).out(grad_gates, 0, 4).out(grad_cx);
    blocks.run(lstm_grad_tape(need_dtype(cx.scalar_type()), gh.defined(), gc.defined()), cx.device().index());
  }
  return {grad_gates, grad_cx, has_bias ? grad_gates.sum(0) : at::Tensor()};
}

// Gates: reset, update, new. The workspace holds them activated, then hx and the hidden part of the new gate.
std::tuple<at::Tensor, at::Tensor> gru(const at::Tensor& input_gates, const at::Tensor& hidden_gates, const at::Tensor& hx,
                                       const Maybe& input_bias, const Maybe& hidden_bias) {
  const Cell cell("_thnn_fused_gru_cell", 3, input_gates, hidden_gates, hx, input_bias, hidden_bias);
  const at::Tensor hy = cell.make(1), workspace = cell.make(5);
  if (hx.numel() == 0) return {hy, workspace};
  Blocks blocks(cell.n, cell.h);
  blocks.in(cell.x, 0, 3).in(cell.hidden, 0, 3).in(cell.x_bias, 0, 3).in(cell.h_bias, 0, 3).in(hx);
  blocks.out(hy).out(workspace, 0, 5).run(gru_tape(need_dtype(hx.scalar_type()), cell.bias), hx.device().index());
  return {hy, workspace};
}
std::tuple<at::Tensor, at::Tensor, at::Tensor, at::Tensor, at::Tensor> gru_grad(const at::Tensor& grad, const at::Tensor& workspace,
                                                                                bool has_bias) {
  const int64_t n = grad.size(0), h = grad.size(1);
  const at::Tensor g_input = at::empty({n, 3 * h}, workspace.options()), g_hidden = at::empty({n, 3 * h}, workspace.options()),
                   g_hx = at::empty({n, h}, workspace.options());
  if (grad.numel() > 0) {
    Blocks blocks(n, h);
    blocks.in(grad).in(workspace, 0, 5).out(g_input, 0, 3).out(g_hidden, 0, 3).out(g_hx);
    blocks.run(gru_grad_tape(need_dtype(grad.scalar_type())), grad.device().index());
  }
  return {g_input, g_hidden, g_hx, has_bias ? g_input.sum(0) : at::Tensor(), has_bias ? g_hidden.sum(0) : at::Tensor()};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) {
  m.impl("_thnn_fused_lstm_cell", &lstm);
  m.impl("_thnn_fused_lstm_cell_backward_impl", &lstm_grad);
  m.impl("_thnn_fused_gru_cell", &gru);
  m.impl("_thnn_fused_gru_cell_backward", &gru_grad);
}

}  // namespace oncilla::adapter
