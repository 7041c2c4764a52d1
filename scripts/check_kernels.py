#!/usr/bin/env python3
"""Run every kernel in Oclgrind and demand an empty report; run broken kernels and demand a report of each.

The cases are test_ops' own, with every tensor in a buffer of exactly its size: the smallest of each op, dtype and kind, and those that test/kernels/cases.toml names because
only they reach a variant, or a second round of a loop. Oclgrind needs minutes for large work-groups, so that they are small: of 16 items, whose trees have every kind of step
that those of 256 have; and the kernels that share local memory run again in groups of 4, where five elements take two rounds through the barriers. At the end every variant of
every op and every kernel must have run.

Broken kernels are rows of test/kernels/broken.toml: an edit of one kernel file, the op that runs it, and the kind of finding that must come.
"""

import argparse
import os
import re
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from oclgrind import ROOT, Run, change, entry_points, simulate, simulated_kernels

BROKEN = ROOT / "test/kernels/broken.toml"
CASES = ROOT / "test/kernels/cases.toml"
GROUP = 16  # work-items, where the table does not say
SHARD = 10  # names of cases that one process runs, so that the last ones do not keep one core waiting


@dataclass
class Task:
    """One simulation: what its line says, and what does it. It returns the run, and what is wrong or ""."""

    label: str
    work: Callable[[], tuple[Run, str]]
    op: str = ""  # of a clean one


class Names:
    """The names of all cases, by op."""

    def __init__(self, test_ops: Path, smallest: int, table: dict) -> None:
        self.all = self.read(test_ops)
        self.without = {name for row in table["without"] for name in self.matches(row["op"], row["cases"], "without")}
        few = self.read(test_ops, "--smallest", str(smallest)) | self.read(
            test_ops, "--smallest", "1", "--op", ",".join(table["one"])
        )
        self.few = {op: [name for name in names if name not in self.without] for op, names in few.items()}

    @staticmethod
    def read(test_ops: Path, *arguments: str) -> dict[str, list[str]]:
        """Return what test_ops --list says."""
        names: dict[str, list[str]] = {}
        for name in subprocess.run(
            [test_ops, "--list", *arguments], check=True, capture_output=True, text=True
        ).stdout.splitlines():
            names.setdefault(name.split("/")[0], []).append(name)
        return names

    def matches(self, op: str, texts: list[str], table: str) -> list[str]:
        """Return the cases of an op whose names hold one of the texts; each text must be in some."""
        for text in texts:
            if not any(text in name for name in self.all[op]):
                sys.exit(f"check-kernels: no case of {op} is called {text!r}, which {CASES.name} lists under {table}")
        return [name for name in self.all[op] if any(text in name for text in texts)]

    def arguments(self, op: str, names: list[str]) -> list[str]:
        """Say to test_ops which cases to run. It also takes those whose names hold one of these; none may be one that is left out."""
        taken = [name for name in self.all[op] if any(text in name for text in names)]
        stray = [name for name in taken if name in self.without]
        if stray:
            sys.exit(f"check-kernels: {stray[0]} cannot be left out: its name holds that of another case")
        return ["--op", op, *(word for name in names for word in ("--case", name))]


def clean_tasks(ops: list[str], names: Names, table: dict, test_ops: Path, kernels: Path) -> list[Task]:
    """Return the simulations that must find nothing: the single long cases first, then the ops with the most cases."""

    def task(op: str, what: str, names_of_op: list[str], row: dict) -> Task:
        arguments = names.arguments(op, names_of_op)
        arguments += ["--variant", row["variant"]] if "variant" in row else []
        arguments += ["--wide"] if row.get("wide") else []
        group = row.get("group", GROUP)

        def work() -> tuple[Run, str]:
            run = simulate(test_ops, arguments, kernels, group)
            return run, run.wrong()

        how = [what, row.get("variant", ""), "64-bit indices" if row.get("wide") else "", f"groups of {group}"]
        return Task(f"{op}: {', '.join(filter(None, how))}", work, op)

    def shards(op: str, chosen: list[str], row: dict) -> list[Task]:
        parts = [chosen[at : at + SHARD] for at in range(0, len(chosen), SHARD)]
        return [task(op, f"smallest {number}/{len(parts)}", part, row) for number, part in enumerate(parts, 1)]

    tasks = []
    for row in table["more"]:
        for text in row["cases"] if row["op"] in ops else []:
            tasks.append(task(row["op"], text, names.matches(row["op"], [text], "more"), row))
    for op in sorted(ops, key=lambda op: -len(names.few[op])):
        tasks += shards(op, names.few[op], {})
        for row in table["again"]:
            if op in row.get("ops", ops):
                tasks += shards(op, [name for name in names.few[op] if row.get("with", "") in name][: row.get("most")], row)
    return tasks


def check_broken(row: dict, test_ops: Path) -> tuple[Run, str]:
    """Break a kernel as the row says and simulate it; the kind of finding that the row names must come."""
    with tempfile.TemporaryDirectory() as folder:
        kernels = simulated_kernels(Path(folder))
        change(kernels, row, BROKEN.name)
        arguments = ["--op", row["op"]]
        for match in row.get("cases", []):
            arguments += ["--case", match]
        if "variant" in row:
            arguments += ["--variant", row["variant"]]
        arguments += ["--smallest", str(row.get("smallest", 4))]
        run = simulate(test_ops, arguments, kernels, row.get("group", GROUP))
    if row["expect"] in run.kinds:
        return run, ""
    seen = f"only {', '.join(run.kinds)}" if run.kinds else "nothing"
    return run, f"expected a finding of kind {row['expect']}, got {seen}:\n    " + "\n    ".join(
        (run.findings or run.output).strip().splitlines()[:14]
    )


def missing(ops: list[str], ran: dict[str, set[str]], table: dict) -> str:
    """Say which variants did not run, and which the table does not list though they ran or the sources choose among them; or ""."""
    lines = []
    for op in ops:
        listed = set(table["variants"].get(op, ()))
        if listed - ran[op]:
            lines.append(f"{op}: no case ran {', '.join(sorted(listed - ran[op]))}")
        if ran[op] - listed:
            lines.append(f"{op}: {CASES.name} does not list {', '.join(sorted(ran[op] - listed))}")
    known = set(table["impossible"]).union(*table["variants"].values())
    for file in sorted((ROOT / "src/backend/opencl").rglob("*.cpp")):
        for call in re.findall(r"choose_variant\((.*?)info\)", file.read_text(), re.DOTALL):
            strange = sorted(set(re.findall(r'\{"(\w+)"', call)) - known)
            lines += [f"{file.name}: {CASES.name} does not list {name}" for name in strange]
    return "\n    ".join(lines)


def ops_of() -> list[str]:
    """Return the names of ops.def, in its order."""
    rows = re.findall(r"^ONC_OP\(\d+, \w+, (\w+),", (ROOT / "include/oncilla/ops.def").read_text(), re.MULTILINE)
    if not rows:
        sys.exit(f"check-kernels: no op in {ROOT / 'include/oncilla/ops.def'}")
    return rows


class Tally:
    """What has been shown, and counted."""

    def __init__(self, total: int) -> None:
        self.total, self.passed, self.failed = total, 0, 0
        self.faults: list[str] = []

    def show(self, label: str, wrong: str, seconds: float, remark: str) -> None:
        """Print a line."""
        self.passed, self.failed = self.passed + (not wrong), self.failed + bool(wrong)
        number = f"[{self.passed + self.failed:3}/{self.total}]"
        line = f"{number} {'FAILED' if wrong else 'ok':6} {label}  {seconds:.1f} s  {wrong or remark}"
        print(line, flush=True)
        if wrong:
            self.faults.append(line)

    def close(self) -> None:
        """Repeat what failed, whole for the first three: who sees only the end of a log sees why."""
        for number, line in enumerate(self.faults):
            print(line if number < 3 else line.splitlines()[0])


def run_tasks(tasks: list[Task], jobs: int, tally: Tally) -> tuple[dict[str, set[str]], set[str]]:
    """Run all, `jobs` at once; return the variants that ran of each op, and the kernels."""
    variants: dict[str, set[str]] = {task.op: set() for task in tasks}
    kernels: set[str] = set()
    with ThreadPoolExecutor(max_workers=jobs) as pool:
        futures = {pool.submit(task.work): task for task in tasks}
        for future in as_completed(futures):
            task, (run, wrong) = futures[future], future.result()
            variants[task.op] |= {r["variant"] for r in run.results}
            kernels |= run.kernels
            tally.show(task.label, wrong, run.seconds, f"{run.passed} runs" if task.op else f"reported: {', '.join(run.kinds)}")
    return variants, kernels


def main() -> int:
    """Run both parts, print a line for each simulation, and the counts."""
    parser = argparse.ArgumentParser(prog="scripts/check-kernels", description=__doc__.splitlines()[0])
    parser.add_argument("--op", action="append", default=[], help="only this op (may be repeated)")
    parser.add_argument("--smallest", type=int, default=4, help="how many cases of each op, dtype and kind (default: 4)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="simulations side by side (default: one a core)")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="build folder (default: build/release)")
    parser.add_argument("--seeded-only", action="store_true", help="only the broken kernels")
    parser.add_argument("--no-seeded", action="store_true", help="leave the broken kernels out")
    parser.add_argument("--list", action="store_true", help="name the simulations and end")
    args = parser.parse_args()
    test_ops = args.build / "bin/test_ops"
    every = ops_of()
    unknown = [op for op in args.op if op not in every]
    if unknown:
        sys.exit(f"check-kernels: there is no op {', '.join(unknown)}")
    if not test_ops.exists():
        sys.exit(f"check-kernels: {test_ops} is not built: cmake --preset release && cmake --build --preset release")
    ops, table = args.op or every, tomllib.loads(CASES.read_text())
    broken = [row for row in tomllib.loads(BROKEN.read_text())["broken"] if row["op"] in ops]

    start = time.monotonic()
    subprocess.run([ROOT / "scripts/with-runtime", "oclgrind", "true"], check=True)  # installs it, before several want it at once
    with tempfile.TemporaryDirectory() as folder:
        kernels = simulated_kernels(Path(folder))
        tasks = []
        if not args.seeded_only:
            tasks += clean_tasks(ops, Names(test_ops, args.smallest, table), table, test_ops, kernels)
        if not args.no_seeded:
            tasks += [Task(f"broken: {row['name']}", lambda row=row: check_broken(row, test_ops)) for row in broken]
        if args.list:
            print("\n".join(task.label for task in tasks))
            return 0
        whole = not args.seeded_only and not args.op
        tally = Tally(len(tasks) + (not args.seeded_only) + whole)
        variants, ran = run_tasks(tasks, args.jobs, tally)
    if not args.seeded_only:
        count = sum(len(variants[op]) for op in ops)
        tally.show("every variant", missing(ops, variants, table), 0, f"{count} of {len(ops)} ops")
    if whole:
        lacking = sorted(entry_points() - ran)
        tally.show("every kernel", f"did not run: {', '.join(lacking)}" if lacking else "", 0, f"{len(ran)} entry points")
    tally.close()
    print(f"{tally.passed} passed, {tally.failed} failed in {time.monotonic() - start:.0f} s")
    return 1 if tally.failed else 0


if __name__ == "__main__":
    sys.exit(main())
