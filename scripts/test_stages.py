"""The stages of scripts/test: what CI builds and runs, in order, with times and counts.

A stage is one shell command; its output goes to build/logs/test/<stage>.log. Tests are counted from what their runner prints; any other stage
counts as one. A stage whose runner reports no test at all has failed, and so has one that could not run because what it needs failed.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(os.environ.get("ONCILLA_VENV", ROOT / ".venv"))
LOGS = ROOT / "build/logs/test"


@dataclass
class Counts:
    """How many tests passed, failed and were skipped."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(self.passed + other.passed, self.failed + other.failed, self.skipped + other.skipped)

    def __str__(self) -> str:
        return f"{self.passed} passed, {self.failed} failed" + (f", {self.skipped} skipped" if self.skipped else "")


def count_doctest(output: str) -> Counts:
    """Add up the last closing line of each section: a test may start its own executable again. A line "== NAME" begins a section.

    What doctest calls skipped is such a case, left out here because another one runs it in a process of its own.
    """
    total = Counts()
    for section in re.split(r"^== ", output, flags=re.MULTILINE):
        rows = re.findall(r"test cases:\s*\d+ \|\s*(\d+) passed \|\s*(\d+) failed \|", section)
        if rows:
            total += Counts(*map(int, rows[-1]))
    return total


def count_words(output: str) -> Counts:
    """Read the last line that says how many passed: pytest's closing line, or that of the case tables' runner."""
    lines = [line for line in output.splitlines() if re.search(r"\b\d+ (passed|failed|error|skipped)", line)]
    found = dict.fromkeys(("passed", "failed", "error", "errors", "skipped", "xfailed", "xpassed", "deselected"), 0)
    for number, word in re.findall(r"(\d+) (\w+)", lines[-1] if lines else ""):
        if word in found:
            found[word] = int(number)
    return Counts(
        found["passed"], found["failed"] + found["error"] + found["errors"] + found["xpassed"], found["skipped"] + found["xfailed"]
    )


@dataclass
class Stage:
    """One command, what must have succeeded before it, and how its tests are counted."""

    name: str
    about: str
    command: str
    needs: tuple[str, ...] = ()
    count: Callable[[str], Counts] | None = None
    quick: bool = True
    minutes: float = 15


def stages() -> list[Stage]:
    """Return every stage, in the order in which they run."""
    python, ruff = VENV / "bin/python", VENV / "bin/ruff"
    release, asan = "build/release/bin", "build/asan/bin"
    sanitized = "ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1"
    built = ("build",)
    return [
        Stage("setup", "Debian packages, .venv, PyTorch", "scripts/setup --dev --no-build", minutes=20),
        Stage("format", "clang-format and ruff format change nothing", "scripts/format --check", ("setup",)),
        Stage("lint", "ruff", f"{ruff} check .", ("setup",)),
        Stage("layers", "includes point the right way", "python3 scripts/check_layers.py --self-test"),
        Stage(
            "build",
            "C++ libraries, command, examples and tests",
            "cmake --preset release && cmake --build --preset release",
            ("setup",),
        ),
        Stage("unit", "the core", f"scripts/with-runtime pocl {release}/test_unit", built, count_doctest),
        Stage("abi", "old and new callers, broken plugins", f"{release}/test_abi", built, count_doctest),
        Stage(
            "faults", "bad input and injected failures", f"scripts/with-runtime pocl {release}/test_faults", built, count_doctest
        ),
        Stage(
            "ops-reference",
            "the op tests of the oracle itself",
            f"{release}/test_ops --plugin reference --quiet",
            built,
            count_words,
        ),
        Stage(
            "ops-gradients",
            "every backward against finite differences",
            f"{release}/test_ops --gradients --quiet",
            built,
            count_words,
        ),
        Stage(
            "ops-seeded",
            "the op tests catch each seeded defect",
            f"{release}/test_ops --seeded $PWD/build/release/lib/libtest_faulty_plugin.so --case max_pool/float32 --case 'softmax/float32 5x7' --quiet",
            built,
            count_words,
        ),
        Stage(
            "ops-pocl",
            "every op on pocl against the reference",
            f"scripts/with-runtime pocl {release}/test_ops --quiet --jobs 2",
            built,
            count_words,
        ),
        Stage(
            "ops-intel",
            "every op on Intel's CPU runtime against the reference",
            f"scripts/with-runtime intel {release}/test_ops --quiet --jobs 2",
            built,
            count_words,
            quick=False,
        ),
        Stage(
            "core-intel",
            "core and faults over Intel's CPU runtime",
            f"s=0; for t in unit faults; do echo == $t; scripts/with-runtime intel {release}/test_$t || s=1; done; exit $s",
            built,
            count_doctest,
            quick=False,
        ),
        Stage(
            "asan-build",
            "the C++ tests with AddressSanitizer and UBSan",
            "cmake --preset asan && cmake --build --preset asan",
            ("setup",),
            quick=False,
        ),
        Stage(
            "asan",
            "core, abi and faults, sanitized",
            f"s=0; for t in unit abi faults; do echo == $t; {sanitized} {asan}/test_$t || s=1; done; exit $s",
            ("asan-build",),
            count_doctest,
            quick=False,
        ),
        Stage(
            "asan-ops",
            "every op of the reference plugin, sanitized",
            f"{sanitized} {asan}/test_ops --plugin reference --quiet",
            ("asan-build",),
            count_words,
            quick=False,
        ),
        Stage("install", "the Python package, built and installed", "scripts/setup", ("setup",)),
        Stage(
            "tools",
            "the oncilla command and the C++ example",
            f"scripts/with-runtime pocl {python} -m pytest -q test/tools",
            ("build", "install"),
            count_words,
        ),
        Stage(
            "torch",
            "the PyTorch device on pocl",
            f"scripts/with-runtime pocl {python} -m pytest -q test/torch",
            ("install",),
            count_words,
        ),
        Stage(
            "torch-intel",
            "the PyTorch device on Intel's CPU runtime",
            f"scripts/with-runtime intel {python} -m pytest -q test/torch",
            ("install",),
            count_words,
            quick=False,
        ),
        Stage(
            "runtimes",
            "rusticl and Oclgrind list a device",
            "scripts/with-runtime rusticl && scripts/with-runtime oclgrind",
            ("install",),
            quick=False,
        ),
    ]


def run(stage: Stage, log: Path) -> tuple[bool, str]:
    """Run a stage's command, its output in `log`; return whether it succeeded, and a remark."""
    environment = {**os.environ, "POCL_SIGFPE_HANDLER": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    with log.open("w") as out:
        out.write(f"$ {stage.command}\n")
        out.flush()
        process = subprocess.Popen(
            ["bash", "-c", stage.command],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = process.wait(timeout=60 * stage.minutes)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False, f"still running after {stage.minutes:g} minutes"
        except BaseException:
            os.killpg(process.pid, signal.SIGTERM)
            raise
    if status < 0:
        return False, f"ended by signal {signal.Signals(-status).name}"
    return status == 0, "" if status == 0 else f"exit status {status}"


def judge(stage: Stage, succeeded: bool, remark: str, output: str) -> tuple[Counts, str]:
    """Turn an exit status and an output into counts that cannot flatter."""
    if stage.count is None:
        return (Counts(passed=1) if succeeded else Counts(failed=1)), remark
    counts = stage.count(output)
    if succeeded and counts.passed + counts.failed == 0:
        return Counts(failed=1), "ran no test"
    if not succeeded and counts.failed == 0:
        counts.failed = 1
    return counts, remark


def select(every: list[Stage], names: list[str], quick: bool) -> list[Stage]:
    """Return the stages asked for, and what they need, in order."""
    if not names:
        return [s for s in every if s.quick or not quick]
    known = {s.name: s for s in every}
    unknown = [n for n in names if n not in known]
    if unknown:
        sys.exit(f"test: no stage called {', '.join(unknown)}; scripts/test --list names them")
    wanted: set[str] = set()

    def want(name: str) -> None:
        if name not in wanted:
            wanted.add(name)
            for need in known[name].needs:
                want(need)

    for name in names:
        want(name)
    return [s for s in every if s.name in wanted]


def main() -> int:
    """Run the stages, print a line for each and the summary."""
    parser = argparse.ArgumentParser(prog="scripts/test", description="Build and run everything that CI runs.")
    parser.add_argument("stages", nargs="*", help="only these, and what they need (default: all)")
    parser.add_argument("--quick", action="store_true", help="leave out sanitizers and the implementations other than pocl")
    parser.add_argument("--list", action="store_true", help="name the stages and end")
    args = parser.parse_args()
    every = stages()
    if args.list:
        for stage in every:
            print(f"{stage.name:14} {stage.about}{'' if stage.quick else '  (not with --quick)'}")
        return 0

    chosen = select(every, args.stages, args.quick)
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    begin = time.monotonic()
    rows: list[tuple[Stage, Counts, float, str]] = []
    failed: set[str] = set()
    for number, stage in enumerate(chosen, 1):
        print(f"[{number:2}/{len(chosen)}] {stage.name:14} {stage.about} … ", end="", flush=True)
        blockers = [need for need in stage.needs if need in failed]
        start = time.monotonic()
        log = LOGS / f"{stage.name}.log"
        if blockers:
            counts, remark = Counts(failed=1), f"not run: {', '.join(blockers)} failed"
        else:
            succeeded, remark = run(stage, log)
            counts, remark = judge(stage, succeeded, remark, log.read_text(errors="replace"))
        seconds = time.monotonic() - start
        rows.append((stage, counts, seconds, remark))
        if counts.failed == 0:
            print(f"ok ({seconds:.1f} s)", flush=True)
            continue
        failed.add(stage.name)
        print(f"FAILED ({seconds:.1f} s){': ' if remark else ''}{remark}", flush=True)
        if log.exists():
            tail = log.read_text(errors="replace").splitlines()[-40:]
            print("\n".join(f"    | {line}" for line in tail), flush=True)

    print(f"\n{'stage':14} {'result':8} {'seconds':>8}  tests")
    for stage, counts, seconds, remark in rows:
        tests = str(counts) if stage.count else ""
        notes = "; ".join(n for n in (tests, remark) if n)
        print(f"{stage.name:14} {'FAILED' if counts.failed else 'ok':8} {seconds:8.1f}  {notes}")
    print(f"{'together':14} {'FAILED' if failed else 'ok':8} {time.monotonic() - begin:8.1f}  logs in {LOGS.relative_to(ROOT)}/")
    total = sum((counts for _, counts, _, _ in rows), Counts())
    print(total)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
