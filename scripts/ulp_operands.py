"""The operands at which scripts/ulp evaluates rows. They are the same in every run."""

import math
from collections.abc import Sequence

import numpy as np
from ulp_rows import FOLDED, WHOLE, Array, Row

PART = 22  # binary logarithm of how many values are evaluated at once
HALVES = 1 << 16
SPECIAL = [math.nan, math.inf, 0.0, 1.0, 0.5, 2.0, 3.0, 100.0, 1e-30, 1e30]
SPECIAL += [-x for x in SPECIAL[1:]]


def parts(stride: int) -> int:
    """Say in how many parts the sweep comes."""
    return max(1, ((1 << 32) // stride) >> PART)


def sweep(stride: int, part: int) -> Array:
    """Give part of all float32 values: one of every `stride`, at random, so that no low bit is always 0. The first has all halves and special values too."""
    index = np.arange(part << PART, min((part + 1) << PART, (1 << 32) // stride), dtype=np.uint64) * np.uint64(stride)
    rng = np.random.default_rng(part)
    if stride > 1:
        index += rng.integers(0, stride, index.size).astype(np.uint64)
    x = index.astype(np.uint32).view(np.float32)
    if part > 0:
        return x
    dense = rng.uniform(-12, 12, 1 << 15).astype(np.float32)
    return np.concatenate(
        [half("float16"), half("bfloat16"), x, dense, dense / 12, np.array([*SPECIAL, *np.arange(-40, 41) / 4], np.float32)]
    )


def half(dtype: str) -> Array:
    """Give all numbers of a half precision type as float32, in the order of their bits."""
    bits = np.arange(HALVES, dtype=np.uint32)
    return bits.astype(np.uint16).view(np.float16).astype(np.float32) if dtype == "float16" else (bits << 16).view(np.float32)


def rounded(x: Array, dtype: str) -> Array:
    """Give the bits of float32 values as halves, rounded to nearest even; NaN is one number."""
    if dtype == "float16":
        bits = x.astype(np.float16).view(np.uint16)
    else:
        word = x.view(np.uint32).astype(np.uint64)
        bits = ((word + 0x7FFF + ((word >> 16) & 1)) >> 16).astype(np.uint16)
    return np.where(np.isnan(x), np.uint16(0xFFFF), bits)


def kind(row: Row) -> tuple[int, int, int]:
    """Say what float32 operands a row of several takes: how many, which is a degree, which is not far left of 0 (-1: none)."""
    return row.arity, WHOLE.get(row.name, -1), FOLDED.get(row.name, -1)


def samples32(arity: int, whole: int, folded: int) -> list[Array]:
    """Give float32 operands for rows of several: of moderate size, of all sizes, positive, special."""
    rng = np.random.default_rng(arity)
    count = 1 << 16
    moderate = rng.uniform(-6, 6, (arity, count // 2))
    sizes = 10.0 ** rng.uniform(-20, 20, (arity, count // 4)) * rng.choice([-1, 1], (arity, count // 4))
    positive = rng.uniform(0, 40, (arity, count // 4))
    grid = np.array(np.meshgrid(*[SPECIAL] * min(arity, 2))).reshape(min(arity, 2), -1)
    if arity == 3:
        grid = np.vstack([grid, np.roll(grid[:1], 7)])
    x = np.hstack([moderate, sizes, positive, grid])
    if whole == 0:  # left of 0 it crosses zero between any two poles
        x[1] = np.abs(x[1])
    if folded >= 0:
        x[folded] = np.where(x[folded] < -1000, -x[folded], x[folded])
    return [np.ascontiguousarray(v, np.float32) for v in degrees(rng, x, whole)]


def samples64(row: Row, count: int) -> list[Array]:
    """Give float64 operands for a row: half of them where it is at home, then of moderate size, then of many sizes."""
    rng = np.random.default_rng(64)
    shape = (row.arity, count)
    moderate, wide, sizes = rng.uniform(-6, 6, shape), rng.uniform(0, 40, shape), 10.0 ** rng.uniform(-6, 3, shape)
    near = rng.uniform(0, 1, shape)
    home = {"unit": 2 * near - 1, "open_unit": near, "above_one": 1 + wide, "positive": wide}.get(
        row.domain, rng.uniform(-40, 40, shape)
    )
    x = np.hstack([home[:, : count // 2], moderate[:, : count // 4], sizes[:, : count // 4]])
    return list(np.ascontiguousarray(degrees(rng, x, WHOLE.get(row.name, -1))))


def degrees(rng: np.random.Generator, x: Array, whole: int) -> Array:
    """Make operand `whole` a degree below 8, and the other of a polynomial small."""
    if whole >= 0:
        x[whole] = rng.integers(0, 8, x.shape[1])
    if whole == 1:
        x[0] = np.clip(x[0], -3, 3)
    return x


def normal(x: Sequence[Array], tiny: float) -> Array:
    """Say where no operand is subnormal."""
    return np.logical_and.reduce([(np.abs(v) >= tiny) | (v == 0) | np.isnan(v) for v in x])
