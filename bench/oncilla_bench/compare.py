"""`oncilla bench compare A B`: which cases became slower from one run to another, beyond noise."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy import stats

from oncilla_bench.results import Result, ResultError, Run, load
from oncilla_bench.statistics import geometric_mean, paired_ratios

ABOUT = """Name the cases whose speed relative to the baseline changed from run A to run B, beyond noise.

A case counts as changed if all of this holds: the medians of its rounds' ratios differ by more than --threshold; a Mann-Whitney test of the two runs' ratios
does so at --level, corrected for the number of cases (Benjamini and Hochberg); the two 95 % intervals do not overlap. Ratios are compared,
not times, so that a machine that is slower as a whole changes nothing. Exit status: 0 without a regression, 1 with one, 2 for files that cannot be compared."""


@dataclass(frozen=True)
class Change:
    """A case in both runs; `change` is the speed in B relative to A: below 1 is slower."""

    group: str
    case: str
    contestant: str
    before: float
    after: float
    p: float
    apart: bool
    disturbed: bool

    @property
    def change(self) -> float:
        """How much faster."""
        return self.after / self.before


def _ratios(run: Run, results: dict[str, Result], name: str) -> list[float]:
    return paired_ratios(results[run.baseline].times, results[name].times)


def changes(a: Run, b: Run) -> list[Change]:
    """Compare what both runs have timed."""
    before = {c.name: c for c in a.cases}
    found = []
    for after in b.cases:
        case = before.get(after.name)
        for name in after.results if case else ():
            old, new = case.timed(name), after.timed(name)
            if name == b.baseline or not old or not new or a.baseline not in case.results:
                continue
            p = stats.mannwhitneyu(_ratios(a, case.results, name), _ratios(b, after.results, name)).pvalue
            bounds = (old.low, old.high, new.low, new.high)
            apart = None in bounds or old.high < new.low or new.high < old.low
            disturbed = bool(case.noise or after.noise or old.drift or new.drift)
            found.append(Change(after.group, after.name, name, old.ratio, new.ratio, float(p), apart, disturbed))
    return found


def broken(a: Run, b: Run) -> list[str]:
    """Name what was timed in A, and in B is wrong or failed."""
    before = {c.name: c for c in a.cases}
    return [
        f"{c.group}: {c.name}: {name} is {result.status} now: {result.reason}"
        for c in b.cases
        for name, result in c.results.items()
        if result.status in ("wrong", "failed") and c.name in before and before[c.name].timed(name)
    ]


def beyond_noise(every: Sequence[Change], threshold: float, level: float) -> tuple[list[Change], list[Change]]:
    """Return what became slower and what became faster, the most changed first."""
    if not every:
        return [], []
    corrected = stats.false_discovery_control([c.p for c in every])
    sure = [c for c, p in zip(every, corrected, strict=True) if p < level and c.apart]
    slower = sorted((c for c in sure if c.change < 1 / (1 + threshold)), key=lambda c: c.change)
    faster = sorted((c for c in sure if c.change > 1 + threshold), key=lambda c: -c.change)
    return slower, faster


def _lines(title: str, found: Sequence[Change]) -> list[str]:
    lines = [f"{len(found)} {title}{':' if found else ''}"]
    for c in found:
        remark = "  (the machine was disturbed)" if c.disturbed else ""
        lines.append(f"  ×{c.change:.2f}  {c.contestant}  {c.group}: {c.case}  {c.before:.2f} to {c.after:.2f}{remark}")
    return lines


def _differences(a: Run, b: Run) -> list[str]:
    """Say what makes two runs hard to compare."""
    keys = ("cpu", "threads")
    lines = [
        f"the runs differ in {k}: {a.machine.get(k)}, {b.machine.get(k)}" for k in keys if a.machine.get(k) != b.machine.get(k)
    ]
    versions = [run.versions.get(run.baseline, {}).get("torch") for run in (a, b)]
    if versions[0] != versions[1]:
        lines.append(f"the baselines differ: torch {versions[0]}, {versions[1]}")
    return lines


def main(words: Sequence[str]) -> int:
    """Run the command; return its exit status."""
    p = argparse.ArgumentParser(
        prog="oncilla bench compare", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    p.add_argument("before", type=Path, metavar="A.json")
    p.add_argument("after", type=Path, metavar="B.json")
    p.add_argument("--threshold", type=float, default=0.05, metavar="T", help="least change that is named (default %(default)s)")
    p.add_argument("--level", type=float, default=0.01, metavar="P", help="level of the test (default %(default)s)")
    args = p.parse_args(words)
    try:
        a, b = load(args.before), load(args.after)
    except ResultError as error:
        print(f"oncilla bench compare: {error}", file=sys.stderr)
        return 2
    every = changes(a, b)
    lost = broken(a, b)
    if not every and not lost:
        print("oncilla bench compare: the runs have no timed case in common", file=sys.stderr)
        return 2
    slower, faster = beyond_noise(every, args.threshold, args.level)
    lines = [*_differences(a, b), f"{len(every)} cases in both; {a.commit or args.before.name} to {b.commit or args.after.name}"]
    for name in dict.fromkeys(c.contestant for c in every):
        mean = geometric_mean(c.change for c in every if c.contestant == name)
        lines.append(f"{name}: ×{mean:.3f} in speed relative to {b.baseline}, geometric mean")
    lines += [*_lines("faster", faster), *_lines("SLOWER", slower), *lost]
    print("\n".join(lines))
    return int(bool(slower or lost))
