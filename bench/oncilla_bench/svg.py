"""The page's drawings, as inline SVG: bars of the cases, the roofline, the history. Colours are classes of the page's CSS."""

from __future__ import annotations

import math
from collections.abc import Sequence
from html import escape

from oncilla_bench.results import CaseResult, Run
from oncilla_bench.statistics import geometric_mean
from oncilla_bench.summary import duration

ROW = 16  # height of a case's line
NAMES = 430  # width of the names
WIDTH = 1140


def _log_ticks(low: float, high: float) -> list[float]:
    """Powers of two or ten that divide the range into a few parts."""
    base = 2.0 if high / low < 300 else 10.0
    return [base**i for i in range(math.ceil(math.log(low, base) - 1e-9), math.floor(math.log(high, base) + 1e-9) + 1)]


class Scale:
    """A logarithmic axis from `low` to `high`, onto `begin` to `end`."""

    def __init__(self, low: float, high: float, begin: float, end: float) -> None:
        self.low, self.high, self.begin, self.end = low, high, begin, end

    def __call__(self, value: float) -> float:
        share = math.log(min(max(value, self.low), self.high) / self.low) / math.log(self.high / self.low)
        return round(self.begin + share * (self.end - self.begin), 1)


def _svg(width: float, height: float, label: str, parts: Sequence[str]) -> str:
    body = "".join(parts)
    return f'<svg viewBox="0 0 {width:g} {height:g}" width="{width:g}" height="{height:g}" role="img" aria-label="{escape(label)}">{body}</svg>'


def _line(x1: float, y1: float, x2: float, y2: float, kind: str) -> str:
    return f'<line x1="{x1:g}" y1="{y1:g}" x2="{x2:g}" y2="{y2:g}" class="{kind}"/>'


def _text(x: float, y: float, words: str, anchor: str = "start", kind: str = "") -> str:
    return f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" class="{kind}">{escape(words)}</text>'


def bars(run: Run, group: str, cases: Sequence[CaseResult], contestants: Sequence[str]) -> str:
    """Draw every case of a group: speed relative to the baseline as bars from 1, with the interval; the slowest first."""

    def slowness(case: CaseResult) -> float:
        found = case.timed(contestants[0])
        return found.ratio if found and found.ratio else math.inf

    shown = [c for c in sorted(cases, key=slowness) if any(c.timed(n) for n in contestants)]
    if not shown:
        return ""
    ends = [v for c in shown for n in contestants if (r := c.timed(n)) for v in (r.low or r.ratio, r.high or r.ratio) if v]
    x = Scale(min(0.5, *ends) / 1.1, max(2.0, *ends) * 1.1, NAMES, WIDTH - 20)
    per = max(1, len(contestants))
    height = 24 + len(shown) * (ROW + 6 * (per - 1)) + 6
    parts = [_line(x(t), 18, x(t), height, "grid") + _text(x(t), 12, f"{t:g}", "middle", "tick") for t in _log_ticks(x.low, x.high)]
    parts += [_line(x(v), 18, x(v), height, "goal") for v in run.goal(group).values()]
    parts.append(_line(x(1), 18, x(1), height, "one"))
    y = 24.0
    for case in shown:
        label = case.name if len(case.name) <= 72 else case.name[:71] + "…"
        parts.append(_text(NAMES - 8, y + 10, label, "end", "name"))
        for i, name in enumerate(contestants):
            found = case.timed(name)
            if found and found.ratio:
                low, high = found.low or found.ratio, found.high or found.ratio
                tip = f"{case.name}: {name} ×{found.ratio:.2f} ({low:.2f} … {high:.2f}), {duration(found.seconds)}"
                left, right = sorted((x(1), x(found.ratio)))
                parts.append(
                    f'<g><title>{escape(tip)}</title><rect x="{left:g}" y="{y + 2 + 6 * i:g}" width="{max(right - left, 1):g}" '
                    f'height="{10 if per == 1 else 5}" class="c{i}"/>'
                    f"{_line(x(low), y + (7 if per == 1 else 4.5) + 6 * i, x(high), y + (7 if per == 1 else 4.5) + 6 * i, 'interval')}</g>"
                )
        y += ROW + 6 * (per - 1)
    return _svg(WIDTH, height, f"{group}: speed relative to {run.baseline}", parts)


def roofline(run: Run, contestants: Sequence[str]) -> str:
    """Draw the rates of all cases with arithmetic over their intensity, under the roof that was measured."""
    peak, bandwidth = run.roofline.get("fma_gflops") or 0, run.roofline.get("triad_gbs") or 0
    points = [
        (c.flops / c.bytes, c.flops / r.seconds / 1e9, i, c, n)
        for c in run.cases
        for i, n in enumerate(contestants)
        if c.flops and c.bytes and (r := c.timed(n)) and r.seconds
    ]
    if not points or not peak or not bandwidth:
        return ""
    height = 420
    x = Scale(
        min(*(p[0] for p in points), peak / bandwidth) / 1.5, max(max(p[0] for p in points), peak / bandwidth) * 1.5, 60, WIDTH - 20
    )
    y = Scale(min(p[1] for p in points) / 1.5, max(peak, *(p[1] for p in points)) * 1.5, height - 40, 16)
    parts = [
        _line(x(t), 16, x(t), height - 40, "grid") + _text(x(t), height - 26, f"{t:g}", "middle", "tick")
        for t in _log_ticks(x.low, x.high)
    ]
    parts += [
        _line(60, y(t), WIDTH - 20, y(t), "grid") + _text(54, y(t) + 4, f"{t:g}", "end", "tick") for t in _log_ticks(y.low, y.high)
    ]
    corner = peak / bandwidth
    begin = max(x.low, y.low / bandwidth)
    parts.append(
        _line(x(begin), y(begin * bandwidth), x(corner), y(peak), "one") + _line(x(corner), y(peak), x(x.high), y(peak), "one")
    )
    for intensity, speed, i, case, name in points:
        tip = f"{name}: {case.name}: {speed:.3g} GFLOP/s at {intensity:.3g} flops a byte"
        parts.append(f'<circle cx="{x(intensity):g}" cy="{y(speed):g}" r="3" class="c{i}"><title>{escape(tip)}</title></circle>')
    parts.append(_text(WIDTH / 2, height - 6, "arithmetic intensity, flops a byte of least traffic", "middle", "tick"))
    parts.append(_text(60, 10, "GFLOP/s", "start", "tick"))
    return _svg(WIDTH, height, "roofline", parts)


def history(runs: Sequence[Run], contestant: str) -> str:
    """Draw each group's geometric mean over the runs, of the cases that all of them have; a small picture a group."""
    width, height = 300, 130
    pictures = []
    for group in runs[-1].groups():
        tables = [{c.name: r.ratio for c in run.groups().get(group, []) if (r := c.timed(contestant)) and r.ratio} for run in runs]
        common = set.intersection(*(set(t) for t in tables if t)) if any(tables) else set()
        means = [geometric_mean(t[n] for n in common) if t and common else math.nan for t in tables]
        known = [m for m in means if not math.isnan(m)]
        if len(known) < 2:
            continue
        y = Scale(min(*known, 0.8) / 1.1, max(*known, 1.25) * 1.1, height - 22, 18)
        step = (width - 60) / max(1, len(runs) - 1)
        at = [(40 + i * step, y(m), m, run) for i, (m, run) in enumerate(zip(means, runs, strict=True)) if not math.isnan(m)]
        path = " ".join(f"{px:g},{py:g}" for px, py, _, _ in at)
        parts = [
            _text(4, 12, f"{group}, {len(common)} cases"),
            _line(40, y(1), width - 16, y(1), "one"),
            _text(34, y(1) + 4, "1", "end", "tick"),
        ]
        parts.append(f'<polyline points="{path}" class="path"/>')
        for px, py, m, run in at:
            label = run.commit or run.created[:10]
            parts.append(f'<circle cx="{px:g}" cy="{py:g}" r="3" class="c0"><title>{escape(f"{label}: {m:.3f}")}</title></circle>')
        parts.append(_text(at[0][0], height - 6, at[0][3].commit[:8] or "first", "start", "tick"))
        parts.append(_text(at[-1][0], height - 6, f"{at[-1][2]:.2f} {at[-1][3].commit[:8]}", "end", "tick"))
        pictures.append(_svg(width, height, f"history of {group}", parts))
    return "".join(pictures)
