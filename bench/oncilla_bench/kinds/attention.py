"""Scaled dot-product attention."""

from __future__ import annotations

from torch.nn import functional

from oncilla_bench.kinds import Values, kind
from oncilla_bench.parameters import one_of, size
from oncilla_bench.workload import Workload, normal, pure, with_gradients


@kind(
    "attention",
    batch=size(),
    heads=size(),
    length=size(),
    keys=size(0),
    width=size(),
    causal=one_of("no", "yes", default="no"),
    grad=one_of("no", "yes", default="no"),
)
def attention(v: Values) -> Workload:
    """Queries of `length`, keys as many unless `keys` says otherwise; grad=yes: forward and backward."""
    keys = v.keys or v.length
    q = normal(v.batch, v.heads, v.length, v.width, dtype=v.dtype)
    k, w = (normal(v.batch, v.heads, keys, v.width, dtype=v.dtype, seed=s) for s in (1, 2))
    causal = v.causal == "yes"

    def run(q: object, k: object, w: object) -> object:
        return functional.scaled_dot_product_attention(q, k, w, is_causal=causal)

    # Two products forwards, five backwards (one is the scores again); half of them where the mask is causal.
    flops = 4.0 * v.batch * v.heads * v.length * keys * v.width * (0.5 if causal else 1)
    if v.grad == "yes":
        return with_gradients(run, q, k, w, flops=3.5 * flops)
    return pure(run, q, k, w, flops=flops)
