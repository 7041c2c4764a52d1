#!/usr/bin/env python3
"""Run every kernel in Oclgrind and demand an empty report; run broken kernels and demand a report of each.

The cases are test_ops' own, the smallest of each op, dtype and variant, with every tensor in a buffer of exactly its size. Broken kernels are rows of
test/kernels/broken.toml: an edit of one kernel file, the op that runs it, and the kind of finding that must come.

Oclgrind's optimiser invents races and its check of uninitialised values crashes on optimised vector code, so that kernels are compiled with -O0. Work-groups are
limited to 16 items: the simulator needs minutes for larger ones, and a tree over 16 has every kind of step that one over 256 has.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
BROKEN = ROOT / "test/kernels/broken.toml"
SIMULATOR = {
    "OCLGRIND_BUILD_OPTIONS": "-O0",
    "OCLGRIND_CHECK_API": "1",
    "OCLGRIND_DATA_RACES": "1",
    "OCLGRIND_MAX_ERRORS": "50",
    "OCLGRIND_MAX_WGSIZE": "16",
    "OCLGRIND_NUM_THREADS": "1",
    "OCLGRIND_UNIFORM_WRITES": "1",
    "OCLGRIND_UNINITIALIZED": "1",
}
# Oclgrind 21.10 takes c.x + c.y for uninitialised after a vector of 16 was halved three times (docs/runtimes.md has the kernel that shows it). For it, and for it
# alone, the two functions that do so go through the lanes one by one.
HALVINGS = re.compile(r"(static inline T lanes_(sum|max)\(V v\) \{\n).*?(\n\})", re.DOTALL)
LANES = {
    "sum": "  T r = ((T *)&v)[0];\n  for (int l = 1; l < 16; ++l) r += ((T *)&v)[l];\n  return r;",
    "max": "  T r = ((T *)&v)[0];\n  for (int l = 1; l < 16; ++l) r = fmax(r, ((T *)&v)[l]);\n  return r;",
}
# How Oclgrind's messages begin, by the name that broken.toml uses.
KINDS = {
    "race": r"data race at",
    "bounds": r"Invalid (read|write)|Index .* out of range|out.of.bounds",
    "uninitialized": r"Uninitialized|uninitialized",
    "barrier": r"divergence|Work-group divergence",
}


@dataclass
class Run:
    """What one simulation found."""

    label: str
    status: int
    output: str
    findings: str
    seconds: float
    kinds: list[str] = field(default_factory=list)

    def counts(self) -> tuple[int, int]:
        """Return how many runs test_ops counted as passed and as failed."""
        lines = re.findall(r"^(\d+) passed, (\d+) failed", self.output, re.MULTILINE)
        return (int(lines[-1][0]), int(lines[-1][1])) if lines else (0, 0)


def simulate(label: str, test_ops: Path, arguments: list[str], kernels: Path | None = None, minutes: float = 10) -> Run:
    """Run test_ops in Oclgrind; `kernels` replaces the kernel files built into the plugin."""
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "findings"
        environment = {**os.environ, **SIMULATOR, "OCLGRIND_LOG": str(log), "ONCILLA_CACHE_DIR": str(Path(folder) / "cache")}
        if kernels is not None:
            environment["ONCILLA_KERNELS"] = str(kernels)
        start = time.monotonic()
        try:
            done = subprocess.run(
                [ROOT / "scripts/with-runtime", "oclgrind", test_ops, "--quiet", "--separate", *arguments],
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                timeout=60 * minutes,
            )
            status, output = done.returncode, done.stdout
        except subprocess.TimeoutExpired as late:
            status, output = 124, f"still running after {minutes:g} minutes\n{late.output or ''}"
        text = log.read_text(errors="replace") if log.exists() else ""
    kinds = [kind for kind, pattern in KINDS.items() if re.search(pattern, text)]
    return Run(label, status, output, text, time.monotonic() - start, kinds)


def simulated_kernels(folder: Path) -> Path:
    """Copy kernels/ into `folder`, with what the simulator misjudges said in other words; return the copy."""
    kernels = folder / "kernels"
    shutil.copytree(ROOT / "kernels", kernels)
    vectors = kernels / "lib/vector16.h"
    text, count = HALVINGS.subn(lambda m: m[1] + LANES[m[2]] + m[3], vectors.read_text())
    if count != len(LANES):
        sys.exit(f"check-kernels: lib/vector16.h has {count} functions that halve a vector, not {len(LANES)}")
    vectors.write_text(text)
    return kernels


def ops_of(test_ops: Path) -> list[str]:
    """Return the names of ops.def, in its order."""
    rows = re.findall(r"^ONC_OP\(\d+, \w+, (\w+),", (ROOT / "include/oncilla/ops.def").read_text(), re.MULTILINE)
    if not rows:
        sys.exit(f"check-kernels: no op in {ROOT / 'include/oncilla/ops.def'}")
    return rows


def check_clean(op: str, test_ops: Path, smallest: int, kernels: Path) -> tuple[Run, str]:
    """Simulate an op's smallest cases; return the run, and what is wrong with it or ""."""
    run = simulate(op, test_ops, ["--op", op, "--smallest", str(smallest)], kernels)
    passed, failed = run.counts()
    if run.findings.strip():
        first = run.findings.strip().splitlines()
        return run, f"{run.findings.count(chr(10) + chr(10)) + 1} findings, the first:\n    " + "\n    ".join(first[:14])
    if run.status != 0 or failed:
        return run, f"status {run.status}:\n    " + "\n    ".join(run.output.strip().splitlines()[-12:])
    return run, "" if passed else "ran nothing"


def check_broken(row: dict, test_ops: Path) -> tuple[Run, str]:
    """Break a kernel as the row says and simulate it; the kind of finding that the row names must come."""
    with tempfile.TemporaryDirectory() as folder:
        kernels = simulated_kernels(Path(folder))
        file = kernels / row["file"]
        text = file.read_text()
        if text.count(row["find"]) < 1:
            return Run(row["name"], 0, "", "", 0.0), f"{row['file']} no longer holds the text to break: {row['find']!r}"
        file.write_text(text.replace(row["find"], row["replace"], 1))
        arguments = ["--op", row["op"]]
        for match in row.get("cases", []):
            arguments += ["--case", match]
        if "variant" in row:
            arguments += ["--variant", row["variant"]]
        arguments += ["--smallest", str(row.get("smallest", 4))]
        run = simulate(row["name"], test_ops, arguments, kernels)
    if row["expect"] in run.kinds:
        return run, ""
    seen = f"only {', '.join(run.kinds)}" if run.kinds else "nothing"
    return run, f"expected a finding of kind {row['expect']}, got {seen}:\n    " + "\n    ".join(
        (run.findings or run.output).strip().splitlines()[:14]
    )


def main() -> int:
    """Run both parts, print a line for each op and each broken kernel, and the counts."""
    parser = argparse.ArgumentParser(prog="scripts/check-kernels", description=__doc__.splitlines()[0])
    parser.add_argument("--op", action="append", default=[], help="only this op (may be repeated)")
    parser.add_argument("--smallest", type=int, default=2, help="how many cases of each op, dtype and kind (default: 2)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="simulations side by side (default: one a core)")
    parser.add_argument("--build", type=Path, default=ROOT / "build/release", help="build folder (default: build/release)")
    parser.add_argument("--seeded-only", action="store_true", help="only the broken kernels")
    parser.add_argument("--no-seeded", action="store_true", help="leave the broken kernels out")
    parser.add_argument("--list", action="store_true", help="name the ops and the broken kernels, and end")
    args = parser.parse_args()
    test_ops = args.build / "bin/test_ops"
    every = ops_of(test_ops)
    unknown = [op for op in args.op if op not in every]
    if unknown:
        sys.exit(f"check-kernels: there is no op {', '.join(unknown)}")
    ops = args.op or every
    broken = [row for row in tomllib.loads(BROKEN.read_text())["broken"] if row["op"] in ops]
    if args.list:
        print("\n".join([*ops, *(f"{row['name']} ({row['file']}, {row['expect']})" for row in broken)]))
        return 0
    if not test_ops.exists():
        sys.exit(f"check-kernels: {test_ops} is not built: cmake --preset release && cmake --build --preset release")

    folder = tempfile.TemporaryDirectory()
    kernels = simulated_kernels(Path(folder.name))
    work = []
    if not args.seeded_only:
        work += [(op, lambda op=op: check_clean(op, test_ops, args.smallest, kernels)) for op in ops]
    if not args.no_seeded:
        work += [(f"broken: {row['name']}", lambda row=row: check_broken(row, test_ops)) for row in broken]
    passed = failed = 0
    with ThreadPoolExecutor(max_workers=args.jobs) as pool:
        for label, future in [(label, pool.submit(task)) for label, task in work]:
            run, wrong = future.result()
            runs = f"{run.counts()[0]} runs" if not label.startswith("broken") else f"reported: {', '.join(run.kinds)}"
            print(f"{'FAILED' if wrong else 'ok':7} {label:60} {run.seconds:6.1f} s  {wrong or runs}", flush=True)
            passed, failed = passed + (not wrong), failed + bool(wrong)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
