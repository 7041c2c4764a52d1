"""docs/performance.md, written of a run: what misses its goal first, with the reason where one was found, then the groups."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path

from oncilla_bench.results import CaseResult, ResultError, Run
from oncilla_bench.summary import duration, of_roofline, rate, shares, summarise

CONTESTANT = "ocl"


def read_reasons(path: Path | None) -> list[tuple[re.Pattern[str], str]]:
    """Read why cases are slow: ``[[reason]]`` tables with a regular expression `case` and a `text`; the first that matches counts."""
    if path is None:
        return []
    try:
        return [(re.compile(r["case"]), r["text"]) for r in tomllib.loads(path.read_text(encoding="utf-8")).get("reason", [])]
    except (OSError, tomllib.TOMLDecodeError, re.error, KeyError, TypeError) as error:
        raise ResultError(f"{path}: {error}") from None


def _row(*cells: str) -> str:
    return "| " + " | ".join(c.replace("|", "\\|") for c in cells) + " |"


def _slow(run: Run, reasons: Sequence[tuple[re.Pattern[str], str]]) -> list[str]:
    """Name the cases that are slower than the baseline, the slowest first."""
    slow: list[tuple[float, CaseResult]] = []
    for case in run.cases:
        found = case.timed(CONTESTANT)
        if found and found.high and found.high < 1:
            slow.append((found.ratio or 0, case))
    lines = [f"## Slower than PyTorch CPU: {len(slow)} of {sum(bool(c.timed(CONTESTANT)) for c in run.cases)} cases", ""]
    if not slow:
        return [*lines, "None beyond the interval of its ratio.", ""]
    lines += [_row("ratio", "95 %", "group", "case", "time", "rate", "of roofline", "where the time goes"), _row(*["---"] * 8)]
    for ratio, case in sorted(slow, key=lambda item: item[0]):
        result = case.results[CONTESTANT]
        share = of_roofline(run, case, CONTESTANT)
        found = [next((text for pattern, text in reasons if pattern.search(f"{case.group}: {case.name}")), ""), shares(result)]
        interval = f"{result.low or 0:.2f} – {result.high or 0:.2f}"
        shown = f"`{case.name}`{f' ({case.note})' if case.note else ''}"
        lines.append(
            _row(
                f"{ratio:.2f}",
                interval,
                case.group,
                shown,
                duration(result.seconds),
                rate(case, CONTESTANT),
                f"{share:.0%}" if share else "",
                "; ".join(x for x in found if x) or "not profiled yet",
            )
        )
    return [*lines, ""]


def _groups(run: Run) -> list[str]:
    lines = ["## Groups", "", "Geometric mean and worst case of the speed relative to PyTorch CPU; goals in brackets.", ""]
    names = [CONTESTANT, *(n for n in run.contestants() if n != CONTESTANT)]
    lines += [_row("group", *(f"{n}: mean, worst" for n in names), "worst case of ocl"), _row(*["---"] * (len(names) + 2))]
    tables = {n: {line.group: line for line in summarise(run, n)} for n in names}
    for group in run.groups():
        cells = []
        for name in names:
            line = tables[name][group]
            worst = line.worst.timed(name) if line.worst else None
            goal = run.goal(group, name)
            wanted = [f" ({goal[k]:g})" if goal.get(k) else "" for k in ("mean", "worst")]
            cells.append(f"{line.mean:.2f}{wanted[0]}, {worst.ratio:.2f}{wanted[1]}" if worst and worst.ratio else "")
        ours = tables[CONTESTANT][group].worst
        lines.append(_row(group, *cells, f"`{ours.name}`" if ours else ""))
    return [*lines, ""]


def render(run: Run, reasons: Sequence[tuple[re.Pattern[str], str]]) -> str:
    """Write the page."""
    m, r = run.machine, run.roofline
    disturbed = sum(bool(c.noise) for c in run.cases)
    lines = [
        "# Performance",
        "",
        f"Written by `oncilla bench page` of a run at commit {run.commit or 'unknown'}, {run.created[:10]}; do not edit. To repeat it:",
        "",
        f"    {run.options.get('command') or 'oncilla bench'}",
        "",
        f"{m.get('cpu')}, {m.get('threads')} of {m.get('cores')} cores, {m.get('system')}; measured there: {r.get('fma_gflops') or 0:.0f} GFLOP/s of multiply-adds, "
        f"{r.get('triad_gbs') or 0:.1f} GB/s in a triad. " + "; ".join(f"{n}: {', '.join(v for v in versions.values() if v)}" for n, versions in run.versions.items()),
        "",
        "A ratio is PyTorch CPU's time by ours, so above 1 is faster; [bench.md](bench.md) says how it is measured."
        + (f" **Other processes disturbed {disturbed} of {len(run.cases)} cases.**" if disturbed else ""),
        "",
    ]  # fmt: skip
    return "\n".join([*lines, *_slow(run, reasons), *_groups(run)]).rstrip() + "\n"
