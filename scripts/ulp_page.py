"""What scripts/ulp writes: the generated part of docs/numerics.md, and its picture."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import matplotlib.pyplot as plt
from ulp_measure import CHECKED, HALF_TYPES, REFERENCE_LIMIT, SAMPLES_64, Result, Runtime, Worst
from ulp_operands import HALVES
from ulp_rows import Row

BEGIN, END = "<!-- scripts/ulp writes what follows -->", "<!-- until here -->"
COLOURS = {"pocl": "#0072b2", "intel": "#d55e00", "rusticl": "#009e73", "reference": "#555555"}
MARKS = {"pocl": "o", "intel": "s", "rusticl": "^", "reference": "d"}


def limit(row: Row, dtype: str, worst: Worst) -> tuple[float, str]:
    """Give the limit of a row and whose it is: PyTorch's own error where it is larger, but twice the limit at most, so that a wrong row still shows."""
    own = row.limits[dtype == "float64"]
    return (min(worst.torch, 2 * own), "PyTorch") if worst.torch > own else (own, row.whose)


def number(error: float) -> str:
    """Give an error with two or three digits."""
    if error == 0:
        return "0"
    return "inf" if math.isinf(error) else f"{error:.2f}" if error < 10 else f"{error:.0f}" if error < 1e4 else f"{error:.1e}"


def table(dtype: str, runtimes: Sequence[Runtime], rows: Mapping[str, Row], result: Result) -> list[str]:
    """Give the table of a dtype; what passes its limit is bold."""
    names = [n for n in rows if any((n, dtype, r.name) in result.worst for r in runtimes)]
    present = [r for r in runtimes if any((n, dtype, r.name) in result.worst for n in names)]
    lines = [
        "",
        f"## {dtype}",
        "",
        "| row | operands | " + " | ".join(r.name for r in present) + " | PyTorch CPU | limit | whose |",
    ]
    lines.append("| --- | ---: |" + " ---: |" * (len(present) + 2) + " --- |")
    for name in names:
        each = [result.worst[name, dtype, r.name] for r in present]
        most, whose = limit(rows[name], dtype, each[0])
        theirs = number(each[0].torch) if each[0].has_torch else "–"
        ours = [f"**{number(w.error)}**" if w.error > most else number(w.error) for w in each]
        cells = [name, f"{each[0].count:,}", *ours, theirs, number(most), whose]
        lines.append("| " + " | ".join(cells) + " |")
    return lines


def halves(runtimes: Sequence[Runtime], result: Result) -> list[str]:
    """Say whether halves are float32's results rounded once, and list where they are not."""
    rows = {name for name, _, _ in result.halves}
    differing = {key: lines for key, lines in result.halves.items() if lines}
    equal = len(result.halves) - len(differing)
    lines = ["", "## float16 and bfloat16", ""]
    lines.append(
        f"{len(rows)} rows of one operand, two dtypes, {len(runtimes)} implementations: in {equal:,} of {len(result.halves):,} combinations all {HALVES:,} results have the bits of "
        "float32's, rounded once to nearest even."
    )
    if differing:
        lines += ["", "| row | dtype | runtime | unlike | for example |", "| --- | --- | --- | ---: | --- |"]
        lines += [
            f"| {name} | {dtype} | {runtime} | {len(found)} | {found[0]} |" for (name, dtype, runtime), found in differing.items()
        ]
    return lines


def references(result: Result) -> list[str]:
    """Say how good the references are."""
    name = max(result.references, key=lambda n: result.references[n])
    worst = result.references[name]
    return [
        "",
        "## The references",
        "",
        f"float32 results are compared with float64 functions, and these with 40 digits at {CHECKED} operands a row and where an error is the largest. The farthest is {name}'s, off by "
        f"{worst:.1g} of float32's ULP; the command fails at {REFERENCE_LIMIT}. float64 results are compared with 40 digits at {SAMPLES_64} operands a row.",
    ]


def write(
    page: Path,
    picture: Path,
    runtimes: Sequence[Runtime],
    rows: Mapping[str, Row],
    result: Result,
    stride: int,
    missing: Sequence[str],
) -> None:
    """Replace the generated part of the page, and draw its picture."""
    every = f"one of every {stride:,} float32 values, at random" if stride > 1 else "all float32 values"
    lines = [BEGIN, "", f"Rows of one operand: {every}, all halves, and some more; rows of several: samples.", ""]
    for r in runtimes:
        lines.append(f"- **{r.name}**: {r.device}" + ("; subnormal numbers count as zero" if r.flushes else ""))
    if missing:
        lines += ["", f"Not measured, since scripts/ulp_rows.py has no reference: {', '.join(missing)}."]
    lines += ["", f"![Worst error of every float32 row by runtime]({picture.name})"]
    for dtype in ("float32", "float64"):
        lines += table(dtype, runtimes, rows, result)
    if any(dtype in HALF_TYPES for _, dtype, _ in result.halves):
        lines += halves(runtimes, result)
    lines += [*references(result), "", END, ""]
    text = page.read_text()
    page.write_text(text[: text.index(BEGIN)] + "\n".join(lines))
    draw(picture, runtimes, rows, result)


def draw(picture: Path, runtimes: Sequence[Runtime], rows: Mapping[str, Row], result: Result) -> None:
    """Draw the worst float32 error of every row that is not exact, with its limit."""
    mpl.use("Agg")
    least, most = 0.25, 300.0
    names = [n for n in rows if rows[n].limits[0] > 0 and all((n, "float32", r.name) in result.worst for r in runtimes)]
    half = (len(names) + 1) // 2
    figure, axes = plt.subplots(1, 2, figsize=(11, 0.17 * half + 1.2), dpi=90, sharex=True)
    for axis, part in zip(axes, (names[:half], names[half:]), strict=True):
        for y, name in enumerate(part):
            worst = [result.worst[name, "float32", r.name] for r in runtimes]
            bound, _ = limit(rows[name], "float32", worst[0])
            axis.plot([least, min(bound, most)], [y, y], color="#dddddd", linewidth=5, solid_capstyle="butt", zorder=1)
            for runtime, w in zip(runtimes, worst, strict=True):
                x = min(max(w.error, least), most)
                axis.plot(x, y, MARKS[runtime.name], color=COLOURS[runtime.name], markersize=4, zorder=2, alpha=0.8)
        axis.set_yticks(range(len(part)), part, fontsize=7)
        axis.set_ylim(half - 0.5, -0.5)
        axis.set_xscale("log")
        axis.set_xlim(least, most)
        axis.set_xticks([0.5, 1, 2, 4, 16, 64, 256], ["½", "1", "2", "4", "16", "64", "256"], fontsize=8)
        axis.minorticks_off()
        axis.grid(axis="x", color="#eeeeee", zorder=0)
        axis.set_xlabel("worst error in ULP, float32; bars end at the limit", fontsize=8)
    marks = [plt.Line2D([], [], marker=MARKS[r.name], color=COLOURS[r.name], linestyle="none", label=r.name) for r in runtimes]
    figure.legend(handles=marks, loc="upper center", ncols=len(marks), frameon=False, fontsize=9)
    figure.tight_layout(rect=(0, 0, 1, 0.97))
    figure.savefig(picture, metadata={"Software": None})
    plt.close(figure)
