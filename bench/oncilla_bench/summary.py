"""Groups summed up: geometric mean, worst case, and whether the goals are met. What table and page share."""

from __future__ import annotations

from dataclasses import dataclass

from oncilla_bench.results import CaseResult, Result, Run
from oncilla_bench.statistics import geometric_mean


@dataclass(frozen=True)
class Line:
    """A contestant in a group.

    Attributes
    ----------
    cases, timed
        How many there are, and how many have a ratio.
    mean
        Geometric mean of the speed relative to the baseline.
    worst
        The case of the smallest ratio.
    missed
        What of the goals is missed, in words; empty where they are met or there are none.
    """

    group: str
    contestant: str
    cases: int
    timed: int
    mean: float
    worst: CaseResult | None
    missed: str
    wrong: int
    failed: int


def summarise(run: Run, contestant: str) -> list[Line]:
    """Sum up a contestant's groups, in the run's order."""
    lines = []
    for group, cases in run.groups().items():
        timed = [(c, r.ratio) for c in cases if (r := c.timed(contestant)) and r.ratio]
        mean = geometric_mean(ratio for _, ratio in timed)
        worst = min(timed, key=lambda item: item[1])[0] if timed else None
        states = [c.results[contestant].status for c in cases if contestant in c.results]
        missed = _missed(run.goal(group, contestant), mean, min((ratio for _, ratio in timed), default=None))
        lines.append(
            Line(group, contestant, len(cases), len(timed), mean, worst, missed, states.count("wrong"), states.count("failed"))
        )
    return lines


def _missed(goal: dict[str, float], mean: float, worst: float | None) -> str:
    words = []
    if worst is not None:
        if (wanted := goal.get("mean")) is not None and mean < wanted:
            words.append(f"mean {wanted:g}")
        if (wanted := goal.get("worst")) is not None and worst < wanted:
            words.append(f"worst {wanted:g}")
    return ", ".join(words)


def rate(case: CaseResult, contestant: str) -> str:
    """Write what a contestant reaches: arithmetic where the case has any, traffic otherwise."""
    result = case.timed(contestant)
    if not result or not result.seconds:
        return ""
    if case.flops:
        return f"{case.flops / result.seconds / 1e9:.3g} GFLOP/s"
    return f"{case.bytes / result.seconds / 1e9:.3g} GB/s" if case.bytes else ""


def bound_seconds(case: CaseResult, run: Run) -> float:
    """Return the least time that the roofline leaves for a case; 0 where nothing is known."""
    peak, bandwidth = run.roofline.get("fma_gflops") or 0, run.roofline.get("triad_gbs") or 0
    if not peak or not bandwidth:
        return 0.0
    return max(case.flops / peak, case.bytes / bandwidth) / 1e9


def of_roofline(run: Run, case: CaseResult, contestant: str) -> float | None:
    """Return the share of the float32 roofline that a contestant reaches; may pass 1 where the data stay in a cache."""
    result = case.timed(contestant)
    bound = bound_seconds(case, run)
    return bound / result.seconds if result and result.seconds and bound else None


def shares(result: Result, most: int = 4) -> str:
    """Say where a call's time goes: its longest kernels, and what is outside of all; empty where nothing was traced."""
    if not result.kernels or not result.seconds:
        return ""
    inside = sum(result.kernels.values())
    whole = max(result.seconds, inside)
    named = [f"{name} {seconds / whole:.0%}" for name, seconds in list(result.kernels.items())[:most] if seconds >= 0.03 * whole]
    outside = 1 - inside / whole
    return ", ".join([*named, *([f"{outside:.0%} outside of kernels"] if outside >= 0.03 else [])])


def duration(seconds: float | None) -> str:
    """Write a time in a fitting unit."""
    if seconds is None:
        return ""
    for scale, unit in ((1, "s"), (1e-3, "ms"), (1e-6, "µs")):
        if seconds >= scale:
            return f"{seconds / scale:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"
