"""docs/compile-matrix.md, from what scripts/compile-matrix found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from compile_record import SELECTIONS

if TYPE_CHECKING:
    from compile_matrix import Row, Sheet

HEAD = """# Compile matrix

Written by `scripts/compile-matrix --write`; do not edit.

Every kernel and every variant, compiled for GPUs that are not there. A program is what the plugin makes for such a device: the case tables run on an OpenCL
implementation that says it is the device (class, limits, float64 or not), keeps each program and launch, and computes nothing (`test/recorder`).
Source text, definitions, options, tuning rows and work-groups are therefore the plugin's own. **Compiled is not run**: nothing here says that a result is right,
or fast, on these devices.

Which programs: {selections}. Of several that serve, one in float32 comes first, then one that the tuning rows take by themselves, then the longest. CLBlast's
kernels are those that its version on this system makes. CI compiles {ci} with every change.
"""

COLUMNS = """Registers are what a work-item has (AMD's vector registers, NVIDIA's), on Intel those of a hardware thread of so many lanes. Spills: what the compiler keeps in memory for want
of registers, as it counts (AMD: registers; NVIDIA: bytes a work-item; Intel: registers, about). Scratch is private memory of any reason, mostly arrays that
are indexed at run time. Occupancy: the share of the work-items that a unit holds at once which groups of the launched size fill, by registers, local memory and the number of groups; one work-item a group fills one lane of a sub-group.
"""


def table(head: list[str], rows: list[list[str]]) -> str:
    """Lay out a table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def summary(sheet: Sheet) -> list[str]:
    """Say in one line what came of a target."""
    variants = {(row.use.op, row.use.variant) for row in sheet.rows}
    spilling = {(row.use.op, row.use.variant) for row in sheet.rows if row.finding == "spills"}
    taken = {key for key in spilling if sheet.recording.variants[key[0]][key[1]]}
    unfit = {(row.use.op, row.use.variant) for row in sheet.rows if row.finding == "unfit"}
    poor = sheet.without_sound_variant()
    return [
        f"`{sheet.target.name}`",
        sheet.target.about,
        f"{sheet.selection} {sheet.programs}",
        str(sheet.kernels),
        str(len(sheet.errors)),
        str(len(sheet.warnings)),
        f"{len(spilling)} of {len(variants)}",
        str(len(taken)),
        str(len(unfit)),
        ", ".join(poor) or "none",
        f"{sheet.seconds:.0f} s",
    ]


def worst(rows: list[Row]) -> Row:
    """Return the row that a reader should know of: a finding, then the lowest occupancy."""
    return min(
        rows,
        key=lambda r: (
            not r.finding,
            -(r.kernel.spills or 0),
            9 if r.occupancy is None else r.occupancy,
            -(r.kernel.registers or 0),
        ),
    )


def cell(rows: list[Row], vendor: str) -> str:
    """Say what a variant takes of a device, in a cell."""
    if not rows:
        return ""
    row = worst(rows)
    if row.kernel.registers is None:
        return "compiles" if not row.finding else f"**{row.finding}**"
    share = "" if row.occupancy is None else ", under 1 %" if row.occupancy < 0.01 else f", {100 * row.occupancy:.0f} %"
    lanes = f" × {row.kernel.wave}" if vendor == "Intel" else ""
    mark = {"": "", "spills": f", **spills {row.kernel.spills}**", "unfit": ", **does not fit**"}[row.finding]
    scratch = f", scratch {row.kernel.scratch}" if row.kernel.scratch else ""
    return f"{row.kernel.registers}{lanes}{share}{scratch}{mark}"


def variants(sheets: list[Sheet], vendor: str) -> str:
    """Lay out the variants of all ops on the targets of a vendor."""
    mine = [sheet for sheet in sheets if sheet.target.vendor == vendor]
    by: dict[tuple[str, str], dict[str, list[Row]]] = {}
    for sheet in mine:
        for row in sheet.rows:
            by.setdefault((row.use.op, row.use.variant), {}).setdefault(sheet.target.name, []).append(row)
    lines = []
    for (op, variant), cells in sorted(by.items()):
        taken = any(sheet.recording.variants.get(op, {}).get(variant) for sheet in mine)
        lines.append([op, f"**{variant}**" if taken else variant, *(cell(cells.get(s.target.name, []), vendor) for s in mine)])
    return table(["op", "variant", *(sheet.target.name for sheet in mine)], lines)


def findings(sheets: list[Sheet]) -> str:
    """List what is let pass, with the reasons."""
    reasons: dict[str, dict[str, set[str]]] = {}
    for sheet in sheets:
        for row in sheet.rows:
            if row.reason:
                reasons.setdefault(row.reason, {}).setdefault(f"{row.use.op} `{row.use.variant}`", set()).add(sheet.target.name)
        for use, _, reason in sheet.errors:
            if reason:
                reasons.setdefault(reason, {}).setdefault(f"{use.op} `{use.variant}`", set()).add(sheet.target.name)
    names = [sheet.target.name for sheet in sheets]
    text = ""
    for reason, where in sorted(reasons.items()):
        places = "; ".join(f"{what} ({', '.join(n for n in names if n in on)})" for what, on in sorted(where.items()))
        text += f"- {reason} {places}\n"
    return text or "None.\n"


def page(sheets: list[Sheet], left_out: dict[str, str]) -> str:
    """Return the whole page."""
    ci = ", ".join(f"`{sheet.target.name}` ({sheet.target.ci})" for sheet in sheets if sheet.target.ci)
    head = [
        "target",
        "device",
        "programs",
        "kernels",
        "errors",
        "warnings",
        "variants that spill in some program",
        "of these taken by tuning rows",
    ]
    selections = "; ".join(f"*{name}*: {what}" for name, what in SELECTIONS.items())
    parts = [HEAD.format(ci=ci, selections=selections)]
    parts.append(
        table(
            [*head, "variants that do not fit", "ops without a sound variant", "compilers' time"],
            [summary(sheet) for sheet in sheets],
        )
    )
    if left_out:
        parts.append("Left out: " + "; ".join(f"`{name}` ({reason})" for name, reason in left_out.items()) + ".\n")
    tools: dict[str, list[str]] = {}
    for sheet in sheets:
        tools.setdefault(sheet.tools, []).append(f"`{sheet.target.name}`")
    parts.append("Compilers: " + "; ".join(f"{tool} for {', '.join(names)}" for tool, names in tools.items()) + ".\n")
    parts.append(f"## Known findings\n\n`test/kernels/known_spills.toml`; anything else fails.\n\n{findings(sheets)}")
    parts.append(
        f"## Variants\n\n{COLUMNS}\nOf each variant the program with a finding, or else with the lowest occupancy. In bold: variants that the tuning rows take in some case.\n"
    )
    for vendor in dict.fromkeys(sheet.target.vendor for sheet in sheets):
        if any(row.kernel.registers is not None for sheet in sheets if sheet.target.vendor == vendor for row in sheet.rows):
            parts.append(f"### {vendor}\n\n{variants(sheets, vendor)}")
    warned = [
        f"- `{sheet.target.name}`: {use.op} `{use.variant}`: `{text}`" for sheet in sheets for text, use in sheet.warnings.items()
    ]
    if warned:
        parts.append("## Warnings\n\n" + "\n".join(warned) + "\n")
    return "\n".join(parts)
