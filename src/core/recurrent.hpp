// Cells of recurrent networks as tapes: everything between the two matrix products of a step, in one kernel forward and one
// backward. Gates come in PyTorch's order and activated gates are what the backward reads, so that a host may keep them in one
// tensor [N, gates * H] and pass its column blocks as strided views.
#pragma once

#include "core/tape.hpp"

namespace oncilla {

// Hochreiter and Schmidhuber 1997, with the forget gate of Gers et al. 2000. Given the sums of both products and biases:
// cy = sigmoid(forget) * cx + sigmoid(in) * tanh(cell), hy = sigmoid(out) * tanh(cy).
struct LstmGates {
  Value in, forget, cell, out;
};
struct LstmCell {
  LstmGates activated;
  Value hy, cy;
};
LstmCell lstm_cell(const LstmGates& sums, Value cx);

// The gradients of the sums and of cx. grad_hy or grad_cy may be an empty Value: zero. cy is that of the forward.
struct LstmGrad {
  LstmGates sums;
  Value cx;
};
LstmGrad lstm_cell_grad(Value grad_hy, Value grad_cy, const LstmGates& activated, Value cx, Value cy);

// Cho et al. 2014 with the reset gate behind the product, as PyTorch and cuDNN have it: new = tanh(x_new + reset * h_new),
// hy = (1 - update) * new + update * hx. The parts of the two products stay apart in the new gate alone.
struct GruGates {
  Value reset, update, fresh;
};
struct GruCell {
  GruGates activated;
  Value hy;
};
GruCell gru_cell(const GruGates& x_sums, const GruGates& h_sums, Value hx);

// hidden: the new gate's part of the hidden product, h_sums.fresh. The gradients of both products' sums differ in the new gate
// alone.
struct GruGrad {
  GruGates x_sums;
  Value h_fresh, hx;  // of h_sums.fresh; of hx without what goes through the product
};
GruGrad gru_cell_grad(Value grad_hy, const GruGates& activated, Value hx, Value hidden);

// Whole tapes over [N, H]; every tensor is of dtype.
// in: 4 gates of the input product, 4 of the hidden one, with bias: 4 and 4 biases (stride 0 along N); cx.
// out: hy, cy, 4 activated gates.
Tape lstm_tape(uint32_t dtype, bool bias);
// The same where a product was added to another in place: in: 4 gates' sums, cx.  out: as above.
Tape lstm_sums_tape(uint32_t dtype);
// in: grad_hy?, grad_cy? (as said by the flags), 4 activated gates, cx, cy.  out: gradients of 4 gates, of cx.
Tape lstm_grad_tape(uint32_t dtype, bool has_grad_hy, bool has_grad_cy);
// in: 3 gates of the input product, 3 of the hidden one, with bias: 3 and 3 biases; hx.
// out: hy, then what the backward reads: 3 activated gates, hx, hidden.
Tape gru_tape(uint32_t dtype, bool bias);
// in: grad_hy, 3 activated gates, hx, hidden.  out: gradients of the 3 gates of the input product, of the 3 of the hidden one, of
// hx.
Tape gru_grad_tape(uint32_t dtype);

}  // namespace oncilla
