"""The command line of `oncilla bench`: run, compare, page. PyTorch is imported after the threads are settled, and only to run."""

from __future__ import annotations

import argparse
import datetime
import importlib.util
import os
import shlex
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from oncilla_bench import machine

ABOUT = """Time Oncilla beside PyTorch's CPU backend and others, in turns in one process, and print ratios with their intervals.

Results are compared before anything is timed. The figures inform; they gate nothing. docs/bench.md says what they mean.

  oncilla bench --quick                            a few cases of every group, in some minutes
  oncilla bench --json out.json --html out.html    everything: an hour or two
  oncilla bench compare A.json B.json              name what became slower beyond noise; exit status 1 if something did
  oncilla bench page A.json [B.json ...] --html P  the page of saved runs; the last one in full, all as history
  oncilla bench page A.json --markdown P           what is slow and the groups, as text"""
NEEDED = ("torch", "numpy", "scipy", "tqdm")
UNUSABLE = 2


def parser() -> argparse.ArgumentParser:
    """Make the parser of the run itself."""
    p = argparse.ArgumentParser(prog="oncilla bench", description=ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter)
    which = p.add_argument_group("what is run")
    which.add_argument("--list", action="store_true", help="name the cases that would run, and the contestants, and end")
    which.add_argument("--group", action="append", default=[], metavar="NAME", help="only this group; may be given again")
    which.add_argument("--case", metavar="REGEX", help="only cases whose name or note matches")
    which.add_argument(
        "--contestant",
        action="append",
        default=[],
        metavar="NAME",
        help="these beside the baseline (default: those marked in --list)",
    )
    which.add_argument(
        "--variant",
        action="append",
        default=[],
        metavar="OP=NAME",
        help="also Oncilla with this variant of an op forced, as matmul=rows",
    )
    which.add_argument("--quick", action="store_true", help="only cases marked so, measured more coarsely")
    which.add_argument("--cases", type=Path, metavar="FOLDER", help="read the *.txt of this folder instead")
    how = p.add_argument_group("how")
    how.add_argument(
        "--threads",
        type=int,
        default=machine.cores(),
        metavar="N",
        help="threads and cores of everybody (default: all cores, %(default)s)",
    )
    how.add_argument(
        "--precision",
        type=float,
        metavar="P",
        help="stop a case when each ratio's 95%% interval is narrower than ±P (default 0.02; quick 0.05)",
    )
    how.add_argument(
        "--max-seconds", type=float, metavar="S", help="most time of a case (default 10; quick 2); six rounds are made in any case"
    )
    how.add_argument("--check", action="store_true", help="compare results, time nothing")
    how.add_argument(
        "--cold", action="store_true", help="empty program caches, so that first-call times have all compilation in them"
    )
    out = p.add_argument_group("output")
    out.add_argument("--json", type=Path, metavar="FILE", help="write the results; saved after every case")
    out.add_argument("--html", type=Path, metavar="FILE", help="write a page that needs no other file")
    out.add_argument("--history", type=Path, nargs="+", default=[], metavar="JSON", help="earlier runs that the page shows too")
    out.add_argument("--quiet", action="store_true", help="only the summary, no line a case")
    return p


def check(p: argparse.ArgumentParser, args: argparse.Namespace) -> None:
    """Refuse values that make no sense, before anything is loaded."""
    if not 1 <= args.threads <= machine.cores():
        p.error(f"--threads {args.threads}: this process has {machine.cores()} cores")
    for name in ("precision", "max_seconds"):
        value = getattr(args, name)
        if value is not None and not 0 < value < 1e6:
            p.error(f"--{name.replace('_', '-')} {value}: must be above 0")
    if args.precision is None:
        args.precision = 0.05 if args.quick else 0.02
    if args.max_seconds is None:
        args.max_seconds = 2.0 if args.quick else 10.0
    for path in (args.json, args.html):
        if path is not None and not path.resolve().parent.is_dir():
            p.error(f"{path}: no folder {path.resolve().parent}")


def lacking() -> list[str]:
    """Name the packages that a run needs and that are not installed."""
    return [name for name in NEEDED if importlib.util.find_spec(name) is None]


def choose(names: Sequence[str], variants: Sequence[str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Return the contestants of these names (the usual ones without any) and of these variants that can run, and why the others cannot."""
    from oncilla_bench.contestants import BASELINE, all_contestants
    from oncilla_bench.contestants.forced import OclVariant

    known = all_contestants()
    unknown = [n for n in names if n not in known]
    if unknown:
        raise ValueError(f"no contestant is called {', '.join(unknown)}; there are {', '.join(known)}")
    wanted = [n for n, c in known.items() if n == BASELINE or (n in names if names else c.default)]
    forced = {c.name: c for c in map(OclVariant, variants)}
    known |= forced
    wanted += forced
    missing = {n: reason for n in wanted if (reason := known[n].missing())}
    return {n: known[n] for n in wanted if n not in missing}, missing


def show_list(groups: Sequence[Any]) -> None:
    """Print cases and contestants."""
    from oncilla_bench.contestants import all_contestants

    for group in groups:
        for case in group.cases:
            print(f"{group.name}: {case.name}{'  (quick)' if case.quick else ''}{f'  # {case.note}' if case.note else ''}")
    print(f"{sum(len(g.cases) for g in groups)} cases in {len(groups)} groups\n")
    for contestant in all_contestants().values():
        state = contestant.missing()
        mark = "*" if contestant.default else " "
        print(f"{mark} {contestant.name:<12} {contestant.about}{f'  [not here: {state}]' if state else ''}")
    print("* takes part unless --contestant names others")


def run(args: argparse.Namespace) -> int:
    """Run the cases."""
    import torch

    from oncilla_bench import results, roofline, table
    from oncilla_bench.cases import CaseError, read_groups, select
    from oncilla_bench.contestants import BASELINE
    from oncilla_bench.progress import Progress
    from oncilla_bench.runner import Limits, run_case

    torch.set_num_threads(args.threads)
    try:
        groups = select(read_groups(args.cases), args.group, args.case, args.quick)
        contestants, missing = choose(args.contestant, args.variant)
    except (CaseError, ValueError) as error:
        print(f"oncilla bench: {error}", file=sys.stderr)
        return UNUSABLE
    if args.list:
        show_list(groups)
        return 0
    cases = [case for group in groups for case in group.cases]
    if not cases:
        print("oncilla bench: no case is left by --group, --case and --quick", file=sys.stderr)
        return UNUSABLE
    for name, reason in missing.items():
        print(f"oncilla bench: without {name}: {reason}", file=sys.stderr)
        if name in args.contestant or name.startswith("ocl:"):
            return UNUSABLE
    found = results.Run(
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        baseline=BASELINE,
        machine=machine.describe(args.threads),
        versions={name: c.versions() for name, c in contestants.items()},
        commit=machine.commit(),
        options={
            "command": args.command,
            "precision": args.precision,
            "max_seconds": args.max_seconds,
            "quick": args.quick,
            "cold": args.cold,
        },
        roofline=roofline.measure(args.threads),
        goals={g.name: {"mean": g.mean, "worst": g.worst, "of": g.of} for g in groups},
    )
    limits = Limits(args.precision, args.max_seconds, rounds=0) if args.check else Limits(args.precision, args.max_seconds)
    with Progress(len(cases), args.quiet) as progress:
        try:
            for case in cases:
                progress.begin(case.name)
                found.cases.append(run_case(case, contestants, limits))
                progress.end(table.case_lines(found, found.cases[-1]))
                if args.json:
                    results.save(found, args.json)
            found.complete = True
        except KeyboardInterrupt:
            progress.say("interrupted; what is there is kept")
    if args.json:
        results.save(found, args.json)
    print(table.report(found))
    if args.html:
        write_page([*args.history, found], args.html)
    wrong = any(r.status in ("wrong", "failed") for c in found.cases for r in c.results.values())
    return 130 if not found.complete else int(wrong)


def write_page(runs: Sequence[Any], where: Path) -> None:
    """Write the page of runs, each a Run or the file of one."""
    from oncilla_bench import page, results

    loaded = [results.load(r) if isinstance(r, Path) else r for r in runs]
    where.write_text(page.render(loaded), encoding="utf-8")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; return its exit status."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words[:1] == ["compare"]:
        from oncilla_bench.compare import main as compare

        return compare(words[1:])
    if words[:1] == ["page"]:
        return page_command(words[1:])
    p = parser()
    args = p.parse_args(words, argparse.Namespace(command=shlex.join(["oncilla", "bench", *words])))
    check(p, args)
    if absent := lacking():
        print(f"oncilla bench: a run needs {', '.join(absent)}, and {sys.executable} has no such package: "
              f"python -m pip install {' '.join(absent)}", file=sys.stderr)  # fmt: skip
        return UNUSABLE
    machine.limit_threads(args.threads)
    if not args.cold:
        return run(args)
    with tempfile.TemporaryDirectory(prefix="oncilla-bench-") as folder:
        for name in ("ONCILLA_CACHE_DIR", "POCL_CACHE_DIR", "TORCHINDUCTOR_CACHE_DIR"):
            os.environ[name] = str(Path(folder) / name.lower())
            Path(os.environ[name]).mkdir()
        return run(args)


def page_command(words: Sequence[str]) -> int:
    """Write the pages of saved runs."""
    from oncilla_bench import markdown, results

    p = argparse.ArgumentParser(prog="oncilla bench page", description="Write pages of saved runs.")
    p.add_argument("runs", nargs="+", type=Path, metavar="JSON", help="what --json wrote, oldest first")
    p.add_argument("--html", type=Path, metavar="FILE", help="a page: the last run in full, all as history")
    p.add_argument(
        "--markdown", type=Path, metavar="FILE", help="what is slow and the groups of the last run, as docs/performance.md has it"
    )
    p.add_argument(
        "--reasons",
        type=Path,
        metavar="TOML",
        help="why cases are slow: [[reason]] tables with case = a regular expression, and text",
    )
    args = p.parse_args(words)
    if not args.html and not args.markdown:
        p.error("--html or --markdown, or both")
    try:
        if args.html:
            write_page(args.runs, args.html)
        if args.markdown:
            text = markdown.render(results.load(args.runs[-1]), markdown.read_reasons(args.reasons))
            args.markdown.write_text(text, encoding="utf-8")
    except (results.ResultError, OSError) as error:
        print(f"oncilla bench: {error}", file=sys.stderr)
        return UNUSABLE
    return 0
