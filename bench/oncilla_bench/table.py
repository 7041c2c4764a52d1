"""The terminal's tables."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator

from oncilla_bench.results import CaseResult, Run
from oncilla_bench.summary import duration, of_roofline, rate, summarise

SLOWEST = 10


def _cell(value: float) -> str:
    return "" if math.isnan(value) else f"{value:.2f}"


def case_line(run: Run, case: CaseResult, contestant: str) -> str:
    """Write one contestant in one case."""
    result = case.results[contestant]
    if result.status != "ok":
        return f"{contestant}: {result.status}: {result.reason}"
    if not result.times:
        compared = f"differs by {result.error:.1e}, {case.tolerance:.0e} allowed" if result.error is not None else "runs"
        return f"{contestant}: {compared}{f', {result.reason}' if result.reason else ''}"
    share = of_roofline(run, case, contestant)
    parts = [f"{contestant} {duration(result.seconds)}"]
    if result.ratio and contestant != run.baseline:
        parts.append(f"×{result.ratio:.2f} ({result.low or math.nan:.2f} … {result.high or math.nan:.2f})")
    parts += [rate(case, contestant), f"{share:.0%} of the roofline" if share else "", result.reason]
    if result.first_seconds and result.seconds and result.first_seconds > 0.1 + 2 * result.seconds:
        parts.append(f"first call {duration(result.first_seconds)}")
    if result.drift:
        parts.append(f"drifted {result.drift:+.0%}")
    return ", ".join(p for p in parts if p)


def case_lines(run: Run, case: CaseResult) -> Iterator[str]:
    """Write a case with everybody who did not decline it."""
    noise = f"  [{', '.join(case.noise)}]" if case.noise else ""
    yield f"{case.group}: {case.name}{f' ({case.note})' if case.note else ''}{noise}"
    for name, result in case.results.items():
        if result.status != "declined":
            yield f"    {case_line(run, case, name)}"


def report(run: Run) -> str:
    """Write the groups' summary, the slowest cases, and what went wrong."""
    m, r = run.machine, run.roofline
    lines = [
        f"{m['cpu']}, {m['threads']} of {m['cores']} cores, {m['system']}; commit {run.commit or 'unknown'}",
        f"roofline: {r['fma_gflops']:.0f} GFLOP/s ({r['fma_by']}), triad {r['triad_gbs']:.1f} GB/s",
    ]
    for contestant in run.contestants():
        lines += [
            "",
            f"{contestant}: speed relative to {run.baseline} (above 1 is faster), geometric mean and worst case of each group",
        ]
        lines.append(f"{'group':<12} {'timed':>9} {'mean':>6} {'worst':>6}  worst case")
        for line in (x for x in summarise(run, contestant) if x.timed or x.wrong or x.failed):
            worst = line.worst.timed(contestant) if line.worst else None
            remarks = [line.worst.name if line.worst else ""]
            remarks += [f"MISSES {line.missed}"] if line.missed else []
            remarks += [f"{line.wrong} WRONG"] if line.wrong else []
            remarks += [f"{line.failed} failed"] if line.failed else []
            lines.append(
                f"{line.group:<12} {f'{line.timed}/{line.cases}':>9} {_cell(line.mean):>6} "
                f"{_cell(worst.ratio if worst and worst.ratio else math.nan):>6}  {'; '.join(x for x in remarks if x)}"
            )
    timed = [(result.ratio, c) for c in run.cases if (result := c.timed("ocl")) and result.ratio]
    if timed:
        lines += ["", "slowest of ocl:"]
        for ratio, case in sorted(timed, key=lambda item: item[0])[:SLOWEST]:
            lines.append(f"  ×{ratio:.2f}  {case.group}: {case.name}{f'  # {case.note}' if case.note else ''}")
    bad = [(c, n, x) for c in run.cases for n, x in c.results.items() if x.status in ("wrong", "failed")]
    if not any(r.times for c in run.cases for r in c.results.values()):
        states = Counter(r.status for c in run.cases for r in c.results.values())
        lines += ["", "compared, not timed: " + ", ".join(f"{count} {state}" for state, count in states.items())]
    lines += ["", "not timed:"] if bad else []
    lines += [f"  {case.group}: {case.name}: {name} {result.status}: {result.reason}" for case, name, result in bad]
    noisy = [c for c in run.cases if c.noise or any(x.drift for x in c.results.values())]
    if noisy:
        lines += [
            "",
            f"{len(noisy)} of {len(run.cases)} cases were disturbed (time stolen, other processes, or a ratio that drifted): do not trust their ratios",
        ]
    if not run.complete:
        lines += ["", "The run was interrupted: these are the cases up to then."]
    return "\n".join(lines)
