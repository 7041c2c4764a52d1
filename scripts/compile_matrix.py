"""Compile every kernel and every variant for GPUs that are not there, with the compilers of their vendors.

What is compiled is what the plugin makes for such a device: the case tables run on an OpenCL implementation that says it is the device, keeps every
program and launch, and computes nothing (test/recorder). Reports errors, warnings, registers, spills, local memory, scratch and occupancy. Exits with 1
for an error, a spill, or a launch that does not fit the device, unless test/kernels/known_spills.toml gives a reason for it.

Results are kept under build/cache/compile-matrix by program, target and versions of the tools, so that a second run compiles what changed.
"""

import argparse
import hashlib
import inspect
import json
import os
import re
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass, field
from pathlib import Path

import compile_page
from compile_record import ROOT, SELECTIONS, Program, Recording, Use, record, select
from compile_targets import COMPILERS, PTXAS, Compiled, KernelUse, Target, compile_program, occupancy, targets

CASES = ROOT / "test/kernels/cases.toml"  # has the variants of each op
KNOWN = ROOT / "test/kernels/known_spills.toml"
PTXAS_PACKAGE = "nvidia-cuda-nvcc-cu12==12.9.86"  # the last whose ptxas knows sm_61
SHOWN = 3  # errors of a program: what follows the first is mostly its consequence
PAGE = ROOT / "docs/compile-matrix.md"
CACHE = Path(os.environ.get("ONCILLA_MATRIX_CACHE", ROOT / "build/cache/compile-matrix"))


@dataclass
class Row:
    """One use of a kernel on a target."""

    use: Use
    kernel: KernelUse
    occupancy: float | None
    finding: str = ""  # "spills", "unfit" or ""
    what: str = ""  # that finding in words
    reason: str = ""  # why it is let pass


@dataclass
class Sheet:
    """What came of one target."""

    target: Target
    tools: str
    selection: str
    programs: int = 0
    kernels: int = 0
    recording: Recording = field(default_factory=lambda: Recording([], {}))
    rows: list[Row] = field(default_factory=list)
    errors: list[tuple[Use, str, str]] = field(default_factory=list)  # a use of the program, the message, why it is let pass
    warnings: dict[str, Use] = field(default_factory=dict)
    seconds: float = 0  # of the compilers, of results kept from an earlier run too

    def faults(self) -> list[str]:
        """Say what nobody knew of."""
        new = [f"{label(use)}: {text}" for use, text, reason in self.errors if not reason]
        return new + [f"{label(row.use)}: {row.what}" for row in self.rows if row.finding and not row.reason]

    def without_sound_variant(self) -> list[str]:
        """Name the ops of which every variant spills, does not fit or does not compile in some program."""
        bad = {(row.use.op, row.use.variant) for row in self.rows if row.finding} | {(u.op, u.variant) for u, _, _ in self.errors}
        return [op for op, names in sorted(self.recording.variants.items()) if names and all((op, name) in bad for name in names)]

    def missing(self, ops: list[str]) -> list[str]:
        """Name the variants that no plan offers on this device, or of which nothing was compiled."""
        listed = tomllib.loads(CASES.read_text())["variants"]
        compiled = {(row.use.op, row.use.variant) for row in self.rows} | {(use.op, use.variant) for use, _, _ in self.errors}
        return [f"{op} {variant}" for op in ops for variant in listed.get(op, []) if (op, variant) not in compiled]


def label(use: Use) -> str:
    """Name a use in a message."""
    return f"{use.op} {use.variant} {use.dtype}, kernel {use.kernel} ({use.case})"


class Known:
    """The rows of known_spills.toml, and which of them were needed."""

    def __init__(self, file: Path) -> None:
        self.rows = tomllib.loads(file.read_text()).get("known", [])
        self.needed: set[int] = set()

    def reason(self, target: str, use: Use, kind: str, text: str = "") -> str:
        """Return why a finding is let pass, or ""."""
        for number, row in enumerate(self.rows):
            fields = (("targets", target), ("ops", use.op), ("variants", use.variant), ("kernels", use.kernel))
            if (
                row["kind"] == kind
                and all(name not in row or value in row[name] for name, value in fields)
                and row.get("text", "") in text
                and not (row.get("forced", False) and use.chosen)
            ):
                self.needed.add(number)
                return row["reason"]
        return ""

    def stale(self, names: Iterable[str]) -> list[str]:
        """Describe rows that matched nothing though their targets were compiled."""
        compiled, every = set(names), [target.name for target in targets()]
        unused = [row for n, row in enumerate(self.rows) if n not in self.needed and set(row.get("targets", every)) <= compiled]
        return [" ".join(f"{key}={value}" for key, value in row.items() if key != "reason") for row in unused]


def install() -> None:
    """Fetch ptxas from PyPI, as scripts/with-runtime fetches Intel's runtime; a failure leaves the targets that need it out."""
    if PTXAS.exists():
        return
    print(f"==> Installing {PTXAS_PACKAGE} … ", end="", flush=True)
    folder = PTXAS.parents[3]
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-input", "--no-deps", "--target", folder, PTXAS_PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True)
    print("done" if done.returncode == 0 else f"FAILED: {(done.stderr.strip().splitlines() or ['no reason given'])[-1]}")


def compiled(target: Target, program: Program, tools: str) -> Compiled:
    """Compile a program, or take what is kept of the same."""
    reader = inspect.getsource(COMPILERS[target.compiler].work) + inspect.getsource(KernelUse)
    text = "\n".join([program.digest, tools, target.arch, target.text, str(target.unit), reader])
    kept = CACHE / target.name / hashlib.sha256(text.encode()).hexdigest()
    try:
        data = json.loads(kept.read_text())
        kernels = {name: KernelUse(**values) for name, values in data["kernels"].items()}
        return Compiled(data["errors"], data["warnings"], kernels, data["seconds"])
    except (OSError, ValueError, KeyError, TypeError):
        result = compile_program(target, program.source, program.options)
    kept.parent.mkdir(parents=True, exist_ok=True)
    temporary = kept.with_suffix(f".{os.getpid()}.{id(result)}")
    temporary.write_text(json.dumps(asdict(result)))
    temporary.replace(kept)
    return result


def judge(target: Target, use: Use, kernel: KernelUse, known: Known) -> Row:
    """Say whether a kernel spills, and whether its launches fit the device."""
    row = Row(use, kernel, occupancy(target, kernel, use.group, use.local))
    local = use.local + (kernel.local or 0)
    if use.group > target.device["group"]:
        row.finding, row.what = "unfit", f"groups of {use.group}, the device has at most {target.device['group']}"
    elif local > target.device["local"]:
        row.finding, row.what = "unfit", f"{local} bytes of local memory, the device has {target.device['local']}"
    elif use.arguments > target.device["arguments"]:
        row.finding, row.what = "unfit", f"{use.arguments} bytes of arguments, the device takes {target.device['arguments']}"
    elif row.occupancy == 0:
        row.finding, row.what = "unfit", f"groups of {use.group} need more registers than a unit has: {kernel.registers} each"
    elif kernel.spills:
        row.finding, row.what = "spills", f"spills {kernel.spills} ({kernel.registers} registers)"
    if row.finding:
        row.reason = known.reason(target.name, use, row.finding)
    return row


def fill(sheet: Sheet, program: Program, result: Compiled, known: Known) -> None:
    """Enter one program's result."""
    uses = list(program.uses.values())
    sheet.programs += 1
    sheet.kernels += len(result.kernels)
    sheet.seconds += result.seconds
    for text in result.errors[:SHOWN]:
        for use in {(use.op, use.variant): use for use in uses}.values():
            sheet.errors.append((use, text, known.reason(sheet.target.name, use, "error", text)))
    for text in result.warnings:
        sheet.warnings.setdefault(text, uses[0])
    for use in uses:
        if use.kernel in result.kernels:
            sheet.rows.append(judge(sheet.target, use, result.kernels[use.kernel], known))
        elif not result.errors:
            sheet.errors.append((use, f"error: the program has no kernel {use.kernel}", ""))


def run_target(target: Target, ops: list[str], args: argparse.Namespace, known: Known) -> Sheet:
    """Record and compile all of one target, and say how far it is."""
    compiler = COMPILERS[target.compiler]
    sheet = Sheet(target, compiler.version(), args.selection or (target.ci if args.ci else target.page))
    begin = time.monotonic()
    sheet.recording = record(args.build, target.device, ops, sheet.selection, args.kernels)
    programs = select(sheet.recording.programs, sheet.selection)
    print(f"{target.name}: {len(programs)} programs of {len(sheet.recording.programs)}", flush=True)
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        futures = {pool.submit(compiled, target, program, sheet.tools): program for program in programs}
        for future in as_completed(futures):
            fill(sheet, futures[future], future.result(), known)
            if not args.quiet and (sheet.programs % 50 == 0 or sheet.programs == len(programs)):
                print(f"{target.name}: [{sheet.programs:4}/{len(programs)}] {time.monotonic() - begin:.0f} s", flush=True)
    sheet.rows.sort(key=lambda row: (*row.use.key, row.use.case))
    return sheet


def report(sheet: Sheet, ops: list[str]) -> tuple[int, int]:
    """Print what came of a target; return how many checks passed and failed."""
    faults, poor, missing = sheet.faults(), sheet.without_sound_variant(), sheet.missing(ops)
    known = [row for row in sheet.rows if row.reason]
    spills = len({(r.use.op, r.use.variant) for r in sheet.rows if r.finding == "spills"})
    print(
        f"{sheet.target.name}: {sheet.programs} programs, {sheet.kernels} kernels, {len(sheet.errors)} errors, {len(sheet.warnings)} warnings; "
        f"{spills} variants spill in some program, {len(known)} findings are known; {sheet.seconds:.0f} s"
    )
    for text, use in sheet.warnings.items():
        print(f"  warning: {label(use)}: {text}")
    for fault in faults:
        print(f"FAILED: {sheet.target.name}: {fault}")
    for op in poor:
        print(f"FAILED: {sheet.target.name}: no variant of {op} is free of findings")
    for variant in missing:
        print(f"FAILED: {sheet.target.name}: nothing was compiled of {variant}, which {CASES.name} lists")
    return sheet.programs + len(sheet.rows) - len(faults), len(faults) + len(poor) + len(missing)


def as_json(sheets: list[Sheet], left_out: dict[str, str]) -> dict:
    """Return all figures."""

    def of(sheet: Sheet) -> dict:
        return {
            "about": sheet.target.about,
            "tools": sheet.tools,
            "selection": sheet.selection,
            "programs": sheet.programs,
            "kernels": sheet.kernels,
            "seconds": round(sheet.seconds, 1),
            "errors": [{**asdict(use), "message": text, "known": reason} for use, text, reason in sheet.errors],
            "warnings": [{**asdict(use), "message": text} for text, use in sheet.warnings.items()],
            "without_sound_variant": sheet.without_sound_variant(),
            "not_launched": sheet.recording.idle,
            "rows": [
                {
                    **asdict(r.use),
                    **asdict(r.kernel),
                    "local_declared": r.kernel.local,
                    "local": r.use.local,
                    "occupancy": r.occupancy,
                }
                | {"finding": r.finding, "what": r.what, "known": r.reason}
                for r in sheet.rows
            ],
        }

    return {"targets": {sheet.target.name: of(sheet) for sheet in sheets}, "left_out": left_out}


def ops_of() -> list[str]:
    """Return the names of ops.def, in its order."""
    return re.findall(r"^ONC_OP\(\d+, \w+, (\w+),", (ROOT / "include/oncilla/ops.def").read_text(), re.MULTILINE)


def parse() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="scripts/compile-matrix", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--target", action="append", default=[], help="only this target (may be repeated); --list names them")
    parser.add_argument("--ci", action="store_true", help="the targets of CI alone, each with few programs")
    parser.add_argument(
        "--selection",
        choices=list(SELECTIONS),
        help="; ".join(f"{name}: {what}" for name, what in SELECTIONS.items())
        + " (default: what test/kernels/targets.toml says of the target)",
    )
    parser.add_argument("--op", action="append", default=[], help="only this op (may be repeated)")
    parser.add_argument("--json", type=Path, help="write every figure to this file")
    parser.add_argument("--write", action="store_true", help="write docs/compile-matrix.md; wants all targets and ops")
    parser.add_argument("--known", type=Path, default=KNOWN, help="what is let pass (default: test/kernels/known_spills.toml)")
    parser.add_argument("--kernels", type=Path, help="kernel files that replace those of kernels/")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="build folder (default: build/release)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="compilers side by side (default: one a core)")
    parser.add_argument("--quiet", action="store_true", help="no progress within a target")
    parser.add_argument("--list", action="store_true", help="name the targets and what they lack, and end")
    args = parser.parse_args()
    every = [target.name for target in targets()]
    for name in args.target:
        if name not in every:
            parser.error(f"there is no target {name!r}; test/kernels/targets.toml has {', '.join(every)}")
    for name in args.op:
        if name not in ops_of():
            parser.error(f"there is no op {name!r}")
    if args.write and (args.target or args.op or args.ci):
        parser.error("--write wants all targets and all ops")
    return args


def main() -> int:
    """Compile, print, write."""
    args = parse()
    chosen = [t for t in targets() if (t.name in args.target or not args.target) and (t.ci or not args.ci)]
    if args.list:
        for target in chosen:
            lacks = COMPILERS[target.compiler].lacks(target)
            print(f"{target.name:8} {target.about}{f'; left out, for want of {lacks}' if lacks else ''}")
        return 0
    if any(target.compiler == "nvptx" for target in chosen):
        install()
    known, sheets, left_out, passed, failed = Known(args.known), [], {}, 0, 0
    for target in chosen:
        lacks = COMPILERS[target.compiler].lacks(target)
        if lacks:
            left_out[target.name] = f"not installed: {lacks}"
            print(f"{target.name}: left out, {left_out[target.name]}")
            continue
        sheet = run_target(target, args.op or ops_of(), args, known)
        good, bad = report(sheet, args.op or ops_of())
        passed, failed = passed + good, failed + bad
        sheets.append(sheet)
    if not args.op and not args.ci and args.selection != "few":
        for row in known.stale([sheet.target.name for sheet in sheets]):
            failed += 1
            print(f"FAILED: {args.known.name}: nothing matches {row}")
    if args.json:
        args.json.write_text(json.dumps(as_json(sheets, left_out), indent=1) + "\n")
    if args.write:
        PAGE.write_text(compile_page.page(sheets, left_out))
    print(f"{passed} passed, {failed} failed")
    # A target whose tools are absent is no failure, a run in which none was compiled is.
    return 1 if failed or not sheets else 0


if __name__ == "__main__":
    sys.exit(main())
