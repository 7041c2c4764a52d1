// What attention demands: q [B,H,L,E], k [B,G,S,E], v [B,G,S,D], H a multiple of G.
#include "kit/check.hpp"

namespace oncilla::kit::rules {
namespace {

// The tensors that forward and backward share; y has the result's sizes.
void shared(const Rules& r, const Named& q, const Named& k, const Named& v, const Named& mask, const Named& y, const Named& lse) {
  const auto attrs = r.desc.attributes<onc_attention_attrs>();
  r.floating(q);
  for (const Named& t : {q, k, v}) r.rank(t, 4);
  for (const Named& t : {k, v, y}) r.dtype(t, q->dtype);
  const int64_t batch = q->dims[0], heads = q->dims[1], length = q->dims[2], groups = k->dims[1], keys = k->dims[2];
  r.dims(k, {batch, groups, keys, q->dims[3]});
  r.dims(v, {batch, groups, keys, v->dims[3]});
  r.holds(groups > 0 ? heads % groups == 0 : heads == 0, heads, " heads of q are no multiple of the ", groups, " of k");
  r.dims(y, {batch, heads, length, v->dims[3]});
  r.dims(lse, {batch, heads, length});
  r.dtype(lse, accumulator_dtype(q->dtype));
  r.dims(mask, {batch, heads, length, keys});
  r.holds(!mask || mask->dtype == ONC_BOOL || mask->dtype == q->dtype, "mask is ", dtype_name(mask ? mask->dtype : 0),
          ", neither bool nor ", dtype_name(q->dtype));
  r.flag("causal", attrs.causal);
  r.flag("dropout", attrs.dropout);
}

}  // namespace

void attention(const Rules& r) {
  shared(r, r.in(0, "q"), r.in(1, "k"), r.in(2, "v"), r.maybe_in(3, "mask"), r.out(0, "y"), r.out(1, "lse"));
}

void attention_grad(const Rules& r) {
  const Named grad_out = r.in(0, "grad_out"), q = r.in(1, "q"), k = r.in(2, "k"), v = r.in(3, "v"), y = r.in(5, "y");
  shared(r, q, k, v, r.maybe_in(4, "mask"), y, r.in(6, "lse"));
  r.dtype(grad_out, q->dtype);
  r.dims(grad_out, y->dims);
  const Named inputs[] = {q, k, v}, grads[] = {r.maybe_out(0, "grad_q"), r.maybe_out(1, "grad_k"), r.maybe_out(2, "grad_v")};
  for (size_t i = 0; i < 3; ++i) {
    r.dtype(grads[i], q->dtype);
    r.dims(grads[i], inputs[i]->dims);
  }
  r.holds(grads[0] || grads[1] || grads[2], "all outputs are absent");
}

}  // namespace oncilla::kit::rules
