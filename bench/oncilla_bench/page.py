"""The page of a run: tables that sort, bars, roofline, history. One file; everything is in it, and without JavaScript all of it still shows."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from oncilla_bench import svg
from oncilla_bench.results import CaseResult, Result, Run
from oncilla_bench.summary import duration, of_roofline, rate, shares, summarise

TEMPLATE = Path(__file__).resolve().parent / "page.html"
OPEN = 40  # a group with more cases is folded


def _key(names: Sequence[str]) -> str:
    """Say which colour is whose."""
    boxes = (
        f'<svg class="key" viewBox="0 0 1 1"><rect width="1" height="1" class="c{i}"/></svg>{escape(n)}'
        for i, n in enumerate(names)
    )
    return f"<p>{''.join(boxes)}</p>"


def _cell(text: str, value: float | None = None, kind: str = "") -> str:
    """One cell; `value` is what sorting looks at."""
    sort = "" if value is None else f' data-v="{value:.6g}"'
    name = f' class="{kind}"' if kind else ""
    return f"<td{name}{sort}>{escape(text)}</td>"


def _number(value: float | None, text: str, kind: str = "n") -> str:
    return _cell(text, value, kind) if value is not None else f'<td class="{kind}" data-v=""></td>'


def _table(heads: Sequence[str], rows: Sequence[str], name: str = "") -> str:
    """A table that sorts; ">" marks the heads of numbers."""
    head = "".join(f'<th class="n">{escape(h[1:])}</th>' if h[0] == ">" else f"<th>{escape(h)}</th>" for h in heads)
    return f'<div class="wide"><table class="sortable" id="{name}"><thead><tr>{head}</tr></thead><tbody>{"".join(rows)}</tbody></table></div>'


def _header(run: Run) -> str:
    m, r = run.machine, run.roofline
    facts = [
        f"{run.created}, commit {run.commit or 'unknown'}",
        f"{m.get('cpu')}, {m.get('threads')} of {m.get('cores')} cores, {m.get('system')}, Python {m.get('python')}",
        f"roofline: {r.get('fma_gflops') or 0:.0f} GFLOP/s in float32 ({r.get('fma_by')}), triad {r.get('triad_gbs') or 0:.1f} GB/s",
        f"each case until all ratios are known to ±{run.options.get('precision'):.0%}, or for {run.options.get('max_seconds'):g} s",
        *(f"{name}: " + ", ".join(f"{k} {v}" for k, v in versions.items() if v) for name, versions in run.versions.items()),
    ]
    lines = ["<h1>oncilla bench</h1>", *(f'<p class="soft" style="margin:.1rem 0">{escape(f)}</p>' for f in facts)]
    noisy = sum(bool(c.noise) for c in run.cases)
    if noisy:
        lines.append(
            f'<p class="warning">The machine was busy with something else during {noisy} of {len(run.cases)} cases: their figures say little.</p>'
        )
    if not run.complete:
        lines.append('<p class="warning">The run was interrupted: these are the cases up to then.</p>')
    return "".join(lines)


def _groups(run: Run, contestants: Sequence[str]) -> str:
    rows = []
    for contestant in contestants:
        for line in summarise(run, contestant):
            if not line.timed:
                continue
            worst = line.worst.timed(contestant) if line.worst else None
            wanted = ", ".join(f"{k} {v:g}" for k, v in run.goal(line.group, contestant).items())
            rows.append(
                "<tr>"
                + _cell(line.group)
                + _cell(contestant)
                + _number(line.timed, f"{line.timed} of {line.cases}")
                + _number(line.mean, f"{line.mean:.2f}", "n bad" if "mean" in line.missed else "n")
                + _number(
                    worst.ratio if worst else None,
                    f"{worst.ratio:.2f}" if worst and worst.ratio else "",
                    "n bad" if "worst" in line.missed else "n",
                )
                + _cell(wanted)
                + _cell(line.worst.name if line.worst else "")
                + "</tr>"
            )
    return _table(("group", "contestant", ">timed", ">mean", ">worst", "goal", "worst case"), rows, "groups")


def _row(run: Run, case: CaseResult, name: str, result: Result) -> str:
    share = of_roofline(run, case, name)
    ratio = result.ratio if name != run.baseline else None
    remarks = [result.reason if result.status == "ok" else f"{result.status}: {result.reason}"]
    remarks += [f"drifted {result.drift:+.0%}"] if result.drift else []
    remarks += case.noise
    remarks += [shares(result)] if ratio and ratio < 1 else []
    interval = f"{result.low:.2f} … {result.high:.2f}" if ratio and result.low and result.high else ""
    peak = f"{result.peak_bytes / 2**20:.1f} MiB ({result.peak_of})" if result.peak_bytes is not None else ""
    return (
        "<tr>"
        + _cell(case.group)
        + f"<td>{escape(case.name)}{f' <span class=soft>{escape(case.note)}</span>' if case.note else ''}</td>"
        + _cell(name)
        + _number(result.seconds, duration(result.seconds))
        + _number(ratio, f"{ratio:.2f}" if ratio else "")
        + _cell(interval, None, "n")
        + _cell(rate(case, name), None, "n")
        + _number(share, f"{share:.0%}" if share else "")
        + _number(result.first_seconds, duration(result.first_seconds))
        + _number(result.peak_bytes, peak)
        + _cell("; ".join(r for r in remarks if r), None, "bad" if result.status in ("wrong", "failed") else "")
        + "</tr>"
    )


def render(runs: Sequence[Run]) -> str:
    """Write the page: the last run in full, all of them as history."""
    run = runs[-1]
    contestants = run.contestants()
    if "ocl" in contestants:
        contestants = ["ocl", *(c for c in contestants if c != "ocl")]
    parts = [_header(run), f"<h2>Groups: speed relative to {escape(run.baseline)}, geometric means</h2>", _groups(run, contestants)]
    if len(runs) > 1:
        parts += [
            "<h2>History: geometric means of the cases that all runs have</h2>",
            *(svg.history(runs, c) for c in contestants[:1]),
        ]
    if drawn := svg.roofline(run, [*contestants, run.baseline]):
        parts += ["<h2>Roofline</h2>", _key([*contestants, run.baseline]), drawn]
    parts += ["<h2>Cases: above 1 is faster; the dashed lines are the goals</h2>", _key(contestants)]
    for group, cases in run.groups().items():
        picture = svg.bars(run, group, cases, contestants) if contestants else ""
        if picture:
            unfolded = " open" if len(cases) <= OPEN else ""
            parts.append(f"<details{unfolded}><summary>{escape(group)} ({len(cases)})</summary>{picture}</details>")
    heads = (
        "group",
        "case",
        "contestant",
        ">time",
        ">ratio",
        ">95 %",
        ">rate",
        ">of roofline",
        ">first call",
        ">peak memory",
        "remarks",
    )
    rows = [_row(run, c, n, r) for c in run.cases for n, r in c.results.items() if r.status != "declined"]
    parts += [
        "<h2>All figures</h2>",
        '<input id="filter" type="search" placeholder="filter: conv resnet50 bwd" aria-label="filter">',
        _table(heads, rows, "cases"),
    ]
    return TEMPLATE.read_text(encoding="utf-8").replace("@BODY@", "\n".join(parts))
