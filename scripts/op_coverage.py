"""Say how the ocl device serves each op of PyTorch that has a CPU kernel, and write docs/coverage.md.

What is registered for the device is asked of PyTorch's dispatcher, with the file that registers it; src/torch/coverage.toml says in which way each of those files
serves its ops, and why an op is left to the CPU or refused. An op that is in neither, or in both, is an error. The results of PyTorch's own tests come from
docs/opinfo.json (scripts/opinfo --save).
"""

import argparse
import json
import re
import sys
import textwrap
import tomllib
from collections import Counter, defaultdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import torch

ROOT = Path(__file__).resolve().parent.parent
TABLE = ROOT / "src/torch/coverage.toml"
RESULTS = ROOT / "docs/opinfo.json"
PAGE = ROOT / "docs/coverage.md"
# Where PyTorch has one of these, it makes the op of others on every device: a functional overload of its out= one, say.
COMPOSED = ("CompositeExplicitAutograd", "CompositeExplicitAutogradNonFunctional", "CompositeImplicitAutograd")
WAYS = {
    "tape": "one EXPR or FOREACH kernel, made of a tape of elementwise functions, with a trailing reduction where it reduces",
    "kernel": "kernel ops of the plugin",
    "composite": "several ops of the device, put together in the adapter",
    "functional": "an out= overload: the functional one, and a copy",
    "memory": "allocation, copies, views: no arithmetic",
    "host": "the CPU, counted and warned of once: a fallback",
    "refused": "an error that says why",
}


class InconsistentError(Exception):
    """The table and the dispatcher differ."""


def registrations() -> dict[str, str | None]:
    """Map each overload that has a CPU kernel or one for ocl to the source file that registers it for ocl; None where nothing does."""
    has = torch._C._dispatch_has_kernel_for_dispatch_key
    found: dict[str, str | None] = {}
    for name in torch._C._dispatch_get_all_op_names():
        if not name.startswith("aten::"):
            continue
        overload = name.removeprefix("aten::")
        if has(name, "PrivateUse1"):
            line = re.search(r"^PrivateUse1: registered at (.*?):\d+ ", torch._C._dispatch_dump(name), re.MULTILINE)
            found[overload] = Path(line[1]).name if line else ""
        elif has(name, "CPU") and not any(has(name, key) for key in COMPOSED):
            found[overload] = None
    return found


def classify(found: dict[str, str | None], table: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Give each overload its way, and the file or the reason.

    Raises
    ------
    InconsistentError
        Where an overload has no row, or a row says what is not so.
    """
    problems = []
    by_file = {name: way for way, names in table["files"].items() for name in names}
    exceptions = {name: way for way, names in table["overloads"].items() for name in names}
    problems += [
        f"src/torch/coverage.toml: no way is called {way}" for way in {*by_file.values(), *exceptions.values()} - set(WAYS)
    ]
    rows: dict[str, tuple[str, str]] = {}
    used = set()
    for overload, file in sorted(found.items()):
        base = overload.split(".")[0]
        matching = [r for r in table["left"] if any(fnmatchcase(overload, p) or fnmatchcase(base, p) for p in r["ops"])]
        if file is None:
            used.update(id(r) for r in matching[:1])
            if matching:
                rows[overload] = (matching[0]["way"], matching[0]["reason"])
            else:
                problems.append(f"{overload} is not registered for ocl, and no row of [[left]] says why")
            continue
        way = exceptions.get(overload) or exceptions.get(base) or by_file.get(file)
        if way is None:
            problems.append(f"{overload} is registered by {file}, which stands in no way of [files]")
        else:
            rows[overload] = (way, file)
    problems += [f"{r['reason']!r}: no op is left for this row of [[left]]" for r in table["left"] if id(r) not in used]
    problems += [f"[files] names {name}, which registers nothing" for name in by_file if name not in set(found.values())]
    bases = {overload.split(".")[0] for overload in found}
    problems += [
        f"[overloads] names {name}, which PyTorch does not have" for name in exceptions if name not in found and name not in bases
    ]
    if problems:
        raise InconsistentError("\n".join(problems))
    return rows


def plain(text: str) -> str:
    """Make a message fit a cell of a table."""
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def explain(results: dict[str, Any], table: dict[str, Any]) -> dict[tuple[str, str], str]:
    """Map each op and dtype that fails in PyTorch's own tests to the reason.

    Raises
    ------
    InconsistentError
        Where no row of [[failing]] says it, or a row, an op or a dtype of one says what no longer fails.
    """
    problems = []
    reasons: dict[tuple[str, str], str] = {}
    used = set()
    rows = table.get("failing", [])
    for op, dtype in sorted({(o["op"], o["dtype"]) for o in results["ops"] if o["failures"]}):
        for number, row in enumerate(rows):
            patterns = [p for p in row["ops"] if fnmatchcase(op, p)]
            if patterns and dtype in row.get("dtypes", [dtype]):
                reasons[op, dtype] = row["reason"]
                used.update((number, name) for name in (patterns[0], dtype))
                break
        else:
            problems.append(
                f"{op} fails in {dtype} in docs/opinfo.json, and no row of [[failing]] in src/torch/coverage.toml says why"
            )
    problems += [
        f"[[failing]] {row['reason']!r}: in docs/opinfo.json nothing of {name} fails any more"
        for number, row in enumerate(rows)
        for name in (*row["ops"], *row.get("dtypes", []))
        if (number, name) not in used
    ]
    if problems:
        raise InconsistentError("\n".join(problems))
    return reasons


def results_section(results: dict[str, Any], table: dict[str, Any]) -> list[str]:
    """Write what PyTorch's own tests gave."""
    lines = [
        "## PyTorch's own tests",
        "",
        "`scripts/opinfo` over PyTorch's database of ops. An op passes if all its samples do; it passes without fallback if nothing ran on the CPU meanwhile.",
        "",
        "| dtype | ops | pass | without fallback | samples | failing: wrong | error | when, where, what |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |",
    ]
    for dtype, row in results["summary"].items():
        wrong = sum(row.get(kind, 0) for kind in ("wrong", "crash", "timeout"))
        how = f"{row['date']}, {plain(row['device'])}, PyTorch {row['torch']}; {', '.join(row['checks'])}"
        lines.append(
            f"| {dtype} | {row['ops']} | {row.get('passed', 0)} | {row.get('without fallback', 0)} | {row['samples']} | {wrong} | {row.get('error', 0) + row.get('fallback', 0)} | {how} |"
        )
    nearer = [f"{o['op']} ({o['dtype']})" for o in results["ops"] if o["nearer"]]
    if nearer:
        lines += [
            "",
            "Beyond PyTorch's tolerance in some sample, yet about as near to a float64 run as the CPU on inputs moved by one ULP: "
            + ", ".join(nearer)
            + ".",
        ]
    reasons = explain(results, table)
    failing = [o for o in results["ops"] if o["failures"]]
    if failing:
        lines += [
            "",
            "### What fails",
            "",
            "| op | dtype | samples | check | why | what comes |",
            "| --- | --- | ---: | --- | --- | --- |",
        ]
        for o in failing:
            lines += [
                f"| {o['op']} | {o['dtype']} | {f['count']} of {o['samples']} | {f['check']}: {f['kind']} | {plain(reasons[o['op'], o['dtype']])} | {plain(f['message'])[:160]} |"
                for f in o["failures"]
            ]
    falling: dict[str, set[str]] = defaultdict(set)
    for o in results["ops"]:
        for name in o["fallbacks"]:
            falling[name.removeprefix("aten::")].add(o["op"])
    if falling:
        lines += ["", "### What ran on the CPU meanwhile", "", "| overload | in the tests of |", "| --- | --- |"]
        lines += [f"| {name} | {', '.join(sorted(ops))} |" for name, ops in sorted(falling.items())]
    return [*lines, ""]


def page(rows: dict[str, tuple[str, str]], results: dict[str, Any] | None, table: dict[str, Any]) -> str:
    """Write the whole page."""
    counts = Counter(way for way, _ in rows.values())
    lines = [
        "# Coverage",
        "",
        "How the ocl device serves PyTorch's ops. `scripts/coverage` writes this page from the dispatcher, `src/torch/coverage.toml` and `docs/opinfo.json`; CI fails where it differs.",
        "Ops that PyTorch itself makes of others, on every device, are not listed.",
        "",
        "| way | overloads | what runs |",
        "| --- | ---: | --- |",
    ]
    lines += [f"| {way} | {counts[way]} | {text} |" for way, text in WAYS.items() if counts[way]]
    lines.append("")
    if results is not None:
        lines += results_section(results, table)
    for way in WAYS:
        if not counts[way]:
            continue
        groups: dict[str, list[str]] = defaultdict(list)
        for overload, (own, where) in rows.items():
            if own == way:
                groups[where].append(overload)
        lines += [f"## {way.capitalize()}", ""]
        for where, names in sorted(groups.items()):
            lines += [
                f"**{where}**",
                "",
                *textwrap.wrap(", ".join(f"`{n}`" for n in names), 160, break_on_hyphens=False, break_long_words=False),
                "",
            ]
    return "\n".join(lines)


def main() -> int:
    """Write the page, or compare it."""
    parser = argparse.ArgumentParser(
        prog="scripts/coverage", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit with 1 if the page differs from what would be written"
    )
    arguments = parser.parse_args()
    if not hasattr(torch, "ocl"):
        sys.exit("coverage: the adapter is not installed: run scripts/setup")
    try:
        table = tomllib.loads(TABLE.read_text())
        rows = classify(registrations(), table)
        text = page(rows, json.loads(RESULTS.read_text()) if RESULTS.exists() else None, table)
    except InconsistentError as problem:
        print(problem)
        return 1
    if not arguments.check:
        PAGE.write_text(text)
        print(f"{len(rows)} overloads; wrote {PAGE.relative_to(ROOT)}")
    elif not PAGE.exists() or PAGE.read_text() != text:
        print(f"{PAGE.relative_to(ROOT)} is not what the dispatcher and src/torch/coverage.toml say: run scripts/coverage")
        return 1
    else:
        print(f"{len(rows)} overloads: 1 passed, 0 failed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
