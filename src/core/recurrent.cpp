#include "core/recurrent.hpp"

#include <vector>

namespace oncilla {
namespace {

// d sigmoid and d tanh, by their results.
Value through_sigmoid(Value grad, Value y) { return grad * y * (1.0 - y); }
Value through_tanh(Value grad, Value y) { return grad * (1.0 - y * y); }

// The sums of `gates` gates of one product each with its bias.
std::vector<Value> with_bias(std::vector<Value> gates, const std::vector<Value>& bias) {
  for (size_t i = 0; i < bias.size(); ++i) gates[i] = gates[i] + bias[i];
  return gates;
}

std::vector<Value> inputs(Tape& t, uint32_t dtype, size_t count) {
  std::vector<Value> values;
  for (size_t i = 0; i < count; ++i) values.push_back(t.input(dtype));
  return values;
}

// Gates of the input product and of the hidden one, biases added.
struct Products {
  std::vector<Value> x, h;
};
Products products(Tape& t, uint32_t dtype, size_t gates, bool bias) {
  std::vector<Value> x = inputs(t, dtype, gates), h = inputs(t, dtype, gates);
  if (!bias) return {x, h};
  const std::vector<Value> x_bias = inputs(t, dtype, gates), h_bias = inputs(t, dtype, gates);
  return {with_bias(x, x_bias), with_bias(h, h_bias)};
}

void outputs(Tape& t, std::initializer_list<Value> values) {
  for (const Value value : values) t.output(value);
}

void lstm_outputs(Tape& t, const LstmCell& cell) {
  outputs(t, {cell.hy, cell.cy, cell.activated.in, cell.activated.forget, cell.activated.cell, cell.activated.out});
}

}  // namespace

LstmCell lstm_cell(const LstmGates& sums, Value cx) {
  const LstmGates a{sigmoid(sums.in), sigmoid(sums.forget), tanh(sums.cell), sigmoid(sums.out)};
  const Value cy = a.forget * cx + a.in * a.cell;
  return {a, a.out * tanh(cy), cy};
}

LstmGrad lstm_cell_grad(Value grad_hy, Value grad_cy, const LstmGates& a, Value cx, Value cy) {
  const bool has_hy = grad_hy.tape != nullptr, has_cy = grad_cy.tape != nullptr;
  if (!has_hy && !has_cy) throw Error(ONC_INVALID_ARGUMENT, "[lstm_cell_grad] neither grad_hy nor grad_cy is given");
  const Value squashed = tanh(cy);
  Value grad = has_hy ? through_tanh(grad_hy * a.out, squashed) : grad_cy;
  if (has_hy && has_cy) grad = grad + grad_cy;
  // Without grad_hy nothing reaches the output gate.
  const Value out = has_hy ? through_sigmoid(grad_hy * squashed, a.out) : cy.tape->constant(cy.dtype, 0);
  return {{through_sigmoid(grad * a.cell, a.in), through_sigmoid(grad * cx, a.forget), through_tanh(grad * a.in, a.cell), out},
          grad * a.forget};
}

GruCell gru_cell(const GruGates& x, const GruGates& h, Value hx) {
  const Value reset = sigmoid(x.reset + h.reset), update = sigmoid(x.update + h.update);
  const Value fresh = tanh(x.fresh + reset * h.fresh);
  return {{reset, update, fresh}, fresh + update * (hx - fresh)};
}

GruGrad gru_cell_grad(Value grad_hy, const GruGates& a, Value hx, Value hidden) {
  const Value fresh = through_tanh(grad_hy * (1.0 - a.update), a.fresh);
  const Value update = through_sigmoid(grad_hy * (hx - a.fresh), a.update);
  return {{through_sigmoid(fresh * hidden, a.reset), update, fresh}, fresh * a.reset, grad_hy * a.update};
}

Tape lstm_tape(uint32_t dtype, bool bias) {
  Tape t;
  const auto [x, h] = products(t, dtype, 4, bias);
  lstm_outputs(t, lstm_cell({x[0] + h[0], x[1] + h[1], x[2] + h[2], x[3] + h[3]}, t.input(dtype)));
  return t;
}

Tape lstm_sums_tape(uint32_t dtype) {
  Tape t;
  const std::vector<Value> sums = inputs(t, dtype, 4);
  lstm_outputs(t, lstm_cell({sums[0], sums[1], sums[2], sums[3]}, t.input(dtype)));
  return t;
}

Tape lstm_grad_tape(uint32_t dtype, bool has_grad_hy, bool has_grad_cy) {
  Tape t;
  const Value grad_hy = has_grad_hy ? t.input(dtype) : Value(), grad_cy = has_grad_cy ? t.input(dtype) : Value();
  const std::vector<Value> a = inputs(t, dtype, 4);
  const Value cx = t.input(dtype), cy = t.input(dtype);
  const LstmGrad grad = lstm_cell_grad(grad_hy, grad_cy, {a[0], a[1], a[2], a[3]}, cx, cy);
  outputs(t, {grad.sums.in, grad.sums.forget, grad.sums.cell, grad.sums.out, grad.cx});
  return t;
}

Tape gru_tape(uint32_t dtype, bool bias) {
  Tape t;
  const auto [x, h] = products(t, dtype, 3, bias);
  const Value hx = t.input(dtype);
  const GruCell cell = gru_cell({x[0], x[1], x[2]}, {h[0], h[1], h[2]}, hx);
  outputs(t, {cell.hy, cell.activated.reset, cell.activated.update, cell.activated.fresh, hx, h[2]});
  return t;
}

Tape gru_grad_tape(uint32_t dtype) {
  Tape t;
  const Value grad_hy = t.input(dtype);
  const std::vector<Value> a = inputs(t, dtype, 3);
  const Value hx = t.input(dtype), hidden = t.input(dtype);
  const GruGrad grad = gru_cell_grad(grad_hy, {a[0], a[1], a[2]}, hx, hidden);
  const GruGates& x = grad.x_sums;
  outputs(t, {x.reset, x.update, x.fresh, x.reset, x.update, grad.h_fresh, grad.hx});
  return t;
}

}  // namespace oncilla
