// LSTM, layer by layer. PyTorch's own composition makes two products and their gradients at every step, for the input too. Here
// all steps of a layer share one product with the input, and one with each weight in the backward; a step is one product and one
// pointwise kernel each way. The layers are autograd functions; what they do not serve goes to PyTorch's composition.
#include <ATen/TensorSubclassLikeUtils.h>
#include <ATen/autocast_mode.h>
#include <ATen/core/Tensor.h>
#include <ATen/functorch/DynamicLayer.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>
#include <torch/library.h>

#include <ATen/ops/_thnn_fused_lstm_cell.h>
#include <ATen/ops/addmm.h>
#include <ATen/ops/cat.h>
#include <ATen/ops/dropout.h>
#include <ATen/ops/empty.h>
#include <ATen/ops/linear.h>
#include <ATen/ops/lstm_native.h>
#include <ATen/ops/mm.h>
#include <ATen/ops/stack.h>

#include "torch/arguments.hpp"
#include "torch/recurrent.hpp"

namespace oncilla::adapter {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

// out = a @ b + c; c may be undefined, or out itself.
void product(const at::Tensor& a, const at::Tensor& b, const at::Tensor& c, const at::Tensor& out) {
  Op op(ONC_OP_MATMUL);
  op.in(in_ref(a)).in(in_ref(b));
  maybe_in(op, c).out(out_ref(out)).scalar(1).scalar(c.defined() ? 1 : 0);
  run(op, out.device().index());
}

// The steps of a layer in the order in which it takes them.
struct Steps {
  int64_t dim, count;  // the dim of time
  bool reverse;

  int64_t place_of(int64_t step) const { return reverse ? count - 1 - step : step; }
  at::Tensor of(const at::Tensor& t, int64_t step) const { return t.defined() ? t.select(dim, place_of(step)) : t; }
  // What each step saw before it: the state at the start, then the results of all steps but the last.
  at::Tensor before(const at::Tensor& start, const at::Tensor& results) const {
    const at::Tensor first = start.unsqueeze(dim), others = results.narrow(dim, reverse ? 1 : 0, count - 1);
    return reverse ? at::cat({others, first}, dim) : at::cat({first, others}, dim);
  }
};

at::Tensor rows(const at::Tensor& t) { return t.reshape({t.size(0) * t.size(1), t.size(2)}); }

// The same layer of differentiable ops, for gradients of gradients: results of every step, the last cell state.
variable_list composed(const Steps& steps, const variable_list& in) {
  const at::Tensor x = at::linear(in[0], in[3], in[5]);
  at::Tensor hidden = in[1], cell = in[2];
  std::vector<at::Tensor> results(static_cast<size_t>(steps.count));
  for (int64_t step = 0; step < steps.count; ++step) {
    const at::Tensor sums = at::linear(hidden, in[4], in[6]);
    std::tie(hidden, cell, std::ignore) = at::_thnn_fused_lstm_cell(steps.of(x, step), sums, cell);
    results[static_cast<size_t>(steps.place_of(step))] = hidden;
  }
  return {at::stack(results, steps.dim), cell};
}

// The tapes of a layer's backward: the last step may lack one of the gradients, and the others share one tape.
class Tapes {
 public:
  explicit Tapes(uint32_t dtype)
      : both_(lstm_grad_tape(dtype, true, true)),
        hidden_(lstm_grad_tape(dtype, true, false)),
        cell_(lstm_grad_tape(dtype, false, true)) {}
  const Tape& of(const at::Tensor& hidden, const at::Tensor& cell) const {
    return !cell.defined() ? hidden_ : hidden.defined() ? both_ : cell_;
  }

 private:
  Tape both_, hidden_, cell_;
};

// One direction of one layer: x [T, N, I] or [N, T, I], h and c [N, H], weights [4H, I] and [4H, H], biases [4H] or none.
// Results: of every step, [T, N, H] or [N, T, H]; the last cell state.
class LstmLayer : public torch::autograd::Function<LstmLayer> {
 public:
  static variable_list forward(AutogradContext* ctx, const at::Tensor& x, const at::Tensor& h, const at::Tensor& c,
                               const at::Tensor& w_x, const at::Tensor& w_h, const Maybe& b_x, const Maybe& b_h, int64_t time,
                               bool reverse) {
    const at::AutoDispatchBelowADInplaceOrView below;
    const Steps steps{time, x.size(time), reverse};
    const int64_t size = w_h.size(1);
    const Tape tape = lstm_sums_tape(need_dtype(x.scalar_type()));
    // Sums first, then, in their place, activated gates.
    const at::Tensor flat = rows(x);
    const at::Tensor gates =
        (b_x ? at::addmm(*b_x + *b_h, flat, w_x.t()) : at::mm(flat, w_x.t())).view({x.size(0), x.size(1), 4 * size});
    const at::Tensor results = at::empty({x.size(0), x.size(1), size}, x.options());
    const at::Tensor cells = at::empty({x.size(0), x.size(1), size}, x.options()), last = at::empty(c.sizes(), c.options());
    const at::Tensor weight = w_h.t().contiguous();  // every step reads it: along its rows that is fastest
    at::Tensor hidden = h, cell = c;
    for (int64_t step = 0; step < steps.count; ++step) {
      const at::Tensor sums = steps.of(gates, step), next = steps.of(results, step);
      const at::Tensor state = step + 1 < steps.count ? steps.of(cells, step) : last;
      product(hidden, weight, sums, sums);
      Blocks(c.size(0), size).in(sums, 0, 4).in(cell).out(next).out(state).out(sums, 0, 4).run(tape, x.device().index());
      hidden = next;
      cell = state;
    }
    ctx->set_materialize_grads(false);
    ctx->save_for_backward(
        {x, h, c, w_x, w_h, b_x.value_or(at::Tensor()), b_h.value_or(at::Tensor()), gates, cells, results, last});
    ctx->saved_data["time"] = time;
    ctx->saved_data["reverse"] = reverse;
    return {results, last};
  }

  static variable_list backward(AutogradContext* ctx, const variable_list& grads) {
    const variable_list saved = ctx->get_saved_variables();
    const bool reverse = ctx->saved_data["reverse"].toBool();
    const int64_t time = ctx->saved_data["time"].toInt();
    const Steps steps{time, saved[0].size(time), reverse};
    variable_list out(9);
    if (!grads[0].defined() && !grads[1].defined()) return out;
    if (at::GradMode::is_enabled()) return twice(steps, {saved.begin(), saved.begin() + 7}, grads);

    const at::Tensor &x = saved[0], &h = saved[1], &c = saved[2], &w_x = saved[3], &w_h = saved[4], &gates = saved[7],
                     &cells = saved[8], &results = saved[9], &last = saved[10];
    const Tapes tapes(need_dtype(x.scalar_type()));
    const at::Tensor given = grads[0].defined() ? grads[0].resolve_neg() : grads[0];
    const at::Tensor sums = at::empty(gates.sizes(), gates.options());  // gradients of the gates' sums
    const at::Tensor through = at::empty(h.sizes(), h.options()), grad_c = at::empty(c.sizes(), c.options());
    at::Tensor from_cell = grads[1].defined() ? grads[1].resolve_neg() : grads[1];
    for (int64_t step = steps.count - 1; step >= 0; --step) {
      at::Tensor from_hidden = steps.of(given, step);
      if (step + 1 < steps.count) {
        product(steps.of(sums, step + 1), w_h, from_hidden, through);
        from_hidden = through;
      }
      const at::Tensor before = step > 0 ? steps.of(cells, step - 1) : c;
      const at::Tensor after = step + 1 < steps.count ? steps.of(cells, step) : last;
      Blocks blocks(h.size(0), h.size(1));
      blocks.in(from_hidden).in(from_cell).in(steps.of(gates, step), 0, 4).in(before).in(after);
      blocks.out(steps.of(sums, step), 0, 4).out(grad_c);
      blocks.run(tapes.of(from_hidden, from_cell), x.device().index());
      from_cell = grad_c;
    }
    const at::Tensor flat = rows(sums);
    const auto needs = [&](size_t input) { return ctx->needs_input_grad(input); };
    if (needs(0)) out[0] = at::mm(flat, w_x).view(x.sizes());
    if (needs(1)) out[1] = at::mm(steps.of(sums, 0), w_h);
    if (needs(2)) out[2] = grad_c;
    if (needs(3)) out[3] = at::mm(flat.t(), rows(x));
    if (needs(4)) out[4] = at::mm(flat.t(), rows(steps.before(h, results)));
    if (saved[5].defined() && (needs(5) || needs(6))) out[5] = out[6] = flat.sum(0);
    return out;
  }

 private:
  // Gradients that have gradients: those of the composition, at inputs that stand apart from whatever depends on one another.
  static variable_list twice(const Steps& steps, const variable_list& saved, const variable_list& grads) {
    variable_list in, wanted, out(9), results, seeds;
    for (const at::Tensor& t : saved) in.push_back(t.defined() ? t.view_as(t) : t);
    for (const at::Tensor& t : in)
      if (t.defined() && t.requires_grad()) wanted.push_back(t);
    const variable_list made = composed(steps, in);
    for (size_t i = 0; i < 2; ++i) {
      if (!grads[i].defined()) continue;
      results.push_back(made[i]);
      seeds.push_back(grads[i]);
    }
    const variable_list got = torch::autograd::grad(results, wanted, seeds, true, true, true);
    size_t next = 0;
    for (size_t i = 0; i < in.size(); ++i)
      if (in[i].defined() && in[i].requires_grad()) out[i] = got[next++];
    return out;
  }
};

// Whether every tensor is an ordinary one of the input's dtype and device, and no transformation wants to see the single ops.
bool plain(const at::Tensor& input, at::TensorList hx, at::TensorList params) {
  if (at::autocast::is_autocast_enabled(kOcl) || at::functorch::maybeCurrentDynamicLayer()) return false;
  if (at::isTensorSubclassLike(input) || at::areAnyTensorSubclassLike(hx) || at::areAnyTensorSubclassLike(params)) return false;
  const auto same = [&](const at::Tensor& t) {
    return t.defined() && t.device() == input.device() && t.scalar_type() == input.scalar_type() && t.layout() == at::kStrided &&
           !t.is_neg() && !t._fw_grad(0).defined();
  };
  return input.is_floating_point() && onc_dtype(input.scalar_type()) != ONC_DTYPE_NONE && same(input) &&
         std::all_of(hx.begin(), hx.end(), same) && std::all_of(params.begin(), params.end(), same);
}

// Whether the sizes are those of an LSTM without projections. For others PyTorch has the words, or the ops.
bool fits(const at::Tensor& input, at::TensorList hx, at::TensorList params, bool biases, int64_t layers, int64_t directions,
          bool batch_first) {
  const size_t each = biases ? 4 : 2;
  if (input.dim() != 3 || input.numel() == 0 || hx.size() != 2 || layers < 1) return false;
  if (params.size() != each * static_cast<size_t>(layers * directions) || params[1].dim() != 2) return false;
  const int64_t size = params[1].size(1), n = input.size(batch_first ? 0 : 1);
  const std::array<int64_t, 3> state{layers * directions, n, size};
  for (const at::Tensor& t : hx)
    if (t.sizes() != at::IntArrayRef(state) || t.numel() == 0) return false;
  for (size_t i = 0; i < params.size(); ++i) {
    const bool first = i / each < static_cast<size_t>(directions);
    const std::array<int64_t, 2> sizes{4 * size, i % each == 1 ? size : first ? input.size(2) : directions * size};
    if (params[i].sizes() != at::IntArrayRef(sizes.data(), i % each < 2 ? 2 : 1)) return false;
  }
  return true;
}

std::tuple<at::Tensor, at::Tensor, at::Tensor> lstm(const at::Tensor& input, at::TensorList hx, at::TensorList params, bool biases,
                                                    int64_t layers, double dropout, bool train, bool bidirectional,
                                                    bool batch_first) {
  const int64_t directions = bidirectional ? 2 : 1;
  if (!fits(input, hx, params, biases, layers, directions, batch_first) || !plain(input, hx, params))
    return at::native::lstm(input, hx, params, biases, layers, dropout, train, bidirectional, batch_first);
  const size_t each = biases ? 4 : 2;
  const int64_t time = batch_first ? 1 : 0, count = input.size(time);
  at::Tensor x = input;
  std::vector<at::Tensor> hidden, cell;
  for (int64_t layer = 0; layer < layers; ++layer) {
    std::vector<at::Tensor> both;
    for (int64_t direction = 0; direction < directions; ++direction) {
      const int64_t number = layer * directions + direction;
      const at::Tensor* p = params.data() + static_cast<size_t>(number) * each;
      const Maybe b_x = biases ? Maybe(p[2]) : std::nullopt, b_h = biases ? Maybe(p[3]) : std::nullopt;
      const variable_list made =
          LstmLayer::apply(x, hx[0].select(0, number), hx[1].select(0, number), p[0], p[1], b_x, b_h, time, direction == 1);
      both.push_back(made[0]);
      hidden.push_back(made[0].select(time, direction == 1 ? 0 : count - 1));
      cell.push_back(made[1]);
    }
    x = directions == 2 ? at::cat(both, 2) : both[0];
    if (dropout != 0 && train && layer + 1 < layers) x = at::dropout(x, dropout, train);
  }
  return {x, at::stack(hidden, 0), at::stack(cell, 0)};
}

}  // namespace

TORCH_LIBRARY_IMPL(aten, AutogradPrivateUse1, m) { m.impl("lstm.input", &lstm); }
TORCH_LIBRARY_IMPL(aten, PrivateUse1, m) { m.impl("lstm.input", &lstm); }

}  // namespace oncilla::adapter
