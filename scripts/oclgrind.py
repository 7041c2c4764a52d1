"""Runs test_ops in Oclgrind, and what was found there.

Its check of uninitialised values crashes on optimised vector code, so that kernels are compiled with -O0. What it misjudges
in our kernels even so is said in other words in the copy of them that it gets: the rows of test/kernels/rewordings.toml, and docs/runtimes.md has the proofs.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
REWORDINGS = ROOT / "test/kernels/rewordings.toml"
SIMULATOR = {
    "OCLGRIND_BUILD_OPTIONS": "-O0",
    "OCLGRIND_CHECK_API": "1",
    "OCLGRIND_DATA_RACES": "1",
    "OCLGRIND_MAX_ERRORS": "1000",
    "OCLGRIND_NUM_THREADS": "1",
    "OCLGRIND_UNIFORM_WRITES": "1",
    "OCLGRIND_UNINITIALIZED": "1",
}
# How Oclgrind's messages begin, by the name that broken.toml uses.
KINDS = {
    "race": r"data race at",
    "bounds": r"Invalid (read|write)|Index .* out of range|out.of.bounds",
    "uninitialized": r"Uninitialized|uninitialized",
    "barrier": r"divergence|Work-group divergence",
}
# The beginning of a kernel. Its body is made to say that it ran.
ENTRY = re.compile(r"^(?:[^/\n#]*\s)?(?:__)?kernel\b[^;{}]*?\bvoid\s+(\w+)\([^{}]*?\)\s*\{", re.MULTILINE)
ANNOUNCE = ' if (get_global_id(0) + get_global_id(1) + get_global_id(2) == 0) printf("ran %s\\n");'
ANNOUNCED = re.compile(r"^ran (\S+)\n", re.MULTILINE)


@dataclass
class Run:
    """What one simulation did and found."""

    status: int
    output: str  # of test_ops
    findings: str  # Oclgrind's log
    seconds: float
    results: list[dict] = field(default_factory=list)  # of test_ops: case, variant, result, message
    kernels: set[str] = field(default_factory=set)  # that ran, file:name

    @property
    def kinds(self) -> list[str]:
        """The kinds of findings in the log."""
        return [kind for kind, pattern in KINDS.items() if re.search(pattern, self.findings)]

    @property
    def passed(self) -> int:
        """How many runs of a variant gave the right result."""
        return sum(r["result"] == "passed" for r in self.results)

    def wrong(self) -> str:
        """Say what is wrong with a run that should have been clean, or ""."""
        if self.findings.strip():
            count = len(re.findall(r"^\S", self.findings, re.MULTILINE))  # what belongs to a finding is indented
            return f"{count} findings, the first:\n    " + "\n    ".join(self.findings.strip().splitlines()[:14])
        bad = [r for r in self.results if r["result"] != "passed"]
        if bad:
            return "\n    ".join(f"{r['case']} {r['variant']}: {r['result']}: {r['message']}" for r in bad[:8])
        if self.status != 0:
            return f"status {self.status}:\n    " + "\n    ".join(self.output.strip().splitlines()[-12:])
        return "" if self.results else "ran nothing"


def simulate(test_ops: Path, arguments: list[str], kernels: Path, group: int, minutes: float = 10) -> Run:
    """Run test_ops in Oclgrind with the kernel files of `kernels`, in work-groups of at most `group`."""
    with tempfile.TemporaryDirectory() as folder:
        log, results = Path(folder) / "findings", Path(folder) / "results"
        environment = {
            **os.environ,
            **SIMULATOR,
            "OCLGRIND_LOG": str(log),
            "OCLGRIND_MAX_WGSIZE": str(group),
            "ONCILLA_CACHE_DIR": str(Path(folder) / "cache"),
            "ONCILLA_KERNELS": str(kernels),
        }
        command = [ROOT / "scripts/with-runtime", "oclgrind", test_ops, "--quiet", "--separate", "--complete", "--json", results]
        start = time.monotonic()
        try:
            done = subprocess.run(
                [*command, *arguments],
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
            begun = late.output.decode(errors="replace") if late.output else ""
            status, output = 124, f"{begun}\nstill running after {minutes:g} minutes"
        seconds = time.monotonic() - start
        findings = log.read_text(errors="replace") if log.exists() else ""
        rows = json.loads(results.read_text())["results"] if results.exists() else []
    return Run(status, ANNOUNCED.sub("", output), findings, seconds, rows, set(ANNOUNCED.findall(output)))


def simulated_kernels(folder: Path) -> Path:
    """Copy kernels/ into `folder`, with what the simulator misjudges said in other words; return the copy."""
    kernels = folder / "kernels"
    shutil.copytree(ROOT / "kernels", kernels)
    for row in tomllib.loads(REWORDINGS.read_text())["reword"]:
        change(kernels, row, REWORDINGS.name)
    for file in kernels.rglob("*.[ch]*"):
        file.write_text(ENTRY.sub(lambda entry, name=file.name: entry[0] + ANNOUNCE % f"{name}:{entry[1]}", file.read_text()))
    return kernels


def entry_points() -> set[str]:
    """Return all kernels in kernels/, as file:name."""
    files = (ROOT / "kernels").rglob("*.[ch]*")
    return {f"{file.name}:{name}" for file in files for name in ENTRY.findall(file.read_text())}


def change(kernels: Path, row: dict, table: str) -> None:
    """Replace the one place that a row of `table` names; end the program where the kernel no longer holds it."""
    file = kernels / row["file"]
    text = file.read_text()
    if row["find"] not in text:
        sys.exit(f"check-kernels: {row['file']} no longer holds what {table} replaces: {row['find']!r}")
    file.write_text(text.replace(row["find"], row["replace"], 1))
