"""Medians, their confidence intervals, geometric means. No PyTorch here: `compare` runs without it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

CONFIDENCE = 0.95


@dataclass(frozen=True)
class Estimate:
    """A median with its interval; NaN bounds where there are too few values for one."""

    median: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Half of the interval, relative: 0.02 is a median known to 2 %. Infinite without bounds."""
        if not (0 < self.low <= self.high < math.inf):
            return math.inf
        return math.sqrt(self.high / self.low) - 1


def estimate(values: Sequence[float]) -> Estimate:
    """Estimate the median; the interval is that of the sign test (order statistics), which supposes nothing of the distribution.

    It needs six values at 95 %.
    """
    interval = stats.quantile_test(values, q=0.0, p=0.5).confidence_interval(CONFIDENCE)
    return Estimate(float(np.median(values)), float(interval.low), float(interval.high))


def paired_ratios(baseline: Sequence[float], other: Sequence[float]) -> list[float]:
    """Speed relative to the baseline, round by round: above 1 the other is faster. What slows a whole round cancels."""
    return [b / o for b, o in zip(baseline, other, strict=True)]


def drift(ratios: Sequence[float]) -> float:
    """How far the median of the second half is from the first's, relative, if beyond chance; 0 if not.

    The halves are compared by the Mann-Whitney test at 1 %.
    """
    half = len(ratios) // 2
    if half < 5:
        return 0.0
    first, second = ratios[:half], ratios[half:]
    if stats.mannwhitneyu(first, second).pvalue >= 0.01:
        return 0.0
    return float(np.median(second) / np.median(first) - 1)


def geometric_mean(values: Iterable[float]) -> float:
    """The mean of ratios; NaN of none."""
    logs = [math.log(v) for v in values]
    return math.exp(sum(logs) / len(logs)) if logs else math.nan
