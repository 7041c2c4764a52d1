"""The stages of scripts/test: what CI builds and runs, in order, with times and counts.

A stage is one shell command; its output goes to build/logs/test/<stage>.log. Tests are counted from what their runner prints; any other stage
counts as one. A stage whose runner reports no test at all has failed, and so has one that could not run because what it needs failed.

Stages that use one core run side by side, since CI has two: whatever can begin begins, in the order of the list. So that neither core is idle before the
next stage that wants both, the longest of them come first.
"""

import argparse
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
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
    deep: bool = False  # only where it is named: too long for every change
    minutes: float = 15
    cores: int = 1  # of two: a stage of two runs alone


def stages() -> list[Stage]:
    """Return every stage, in the order in which they begin where nothing keeps them waiting."""
    python, ruff = VENV / "bin/python", VENV / "bin/ruff"
    release, asan, prefix = "build/release/bin", "build/asan/bin", "$PWD/build/prefix"
    sanitized = "ASAN_OPTIONS=detect_stack_use_after_return=1 UBSAN_OPTIONS=print_stacktrace=1"
    built = ("build",)
    # What the opencl plugin declines is a defect here, unless it is float64 where the device has none.
    conformance = f"{release}/oncilla conformance --complete --level ci --quiet --jobs 2"
    return [
        Stage("layers", "includes point the right way", "python3 scripts/check_layers.py --self-test"),
        Stage("packages", "Debian packages", "scripts/setup --dev --packages", minutes=20, cores=2),
        # Waits for the network, and unpacks, on one core: the build need not wait for it.
        Stage("setup", ".venv, PyTorch", "scripts/setup --dev --no-build", ("packages",), minutes=20),
        Stage("format", "clang-format and ruff format change nothing", "scripts/format --check", ("setup",)),
        Stage("lint", "ruff", f"{ruff} check .", ("setup",)),
        Stage(
            "build",
            "C++ libraries, command, examples and tests",
            "cmake --preset release && cmake --build --preset release",
            ("packages",),
            minutes=25,
        ),
        Stage("install", "the Python package, built and installed", "scripts/setup", ("setup", "build"), minutes=25, cores=2),
        Stage(
            "ops-pocl",
            "every op on pocl against the reference",
            f"scripts/with-runtime pocl {conformance}",
            built,
            count_words,
            minutes=25,
            cores=2,
        ),
        Stage(
            "ops-intel",
            "every op on Intel's CPU runtime against the reference, every fourth case",
            f"scripts/with-runtime intel {conformance} --share 4",
            built,
            count_words,
            quick=False,
            cores=2,
        ),
        # Of each kind its 16 smallest cases, for Mesa compiles slowly: docs/runtimes.md says how slowly, and why two dtypes of an op are left out.
        Stage(
            "ops-rusticl",
            "every op on Mesa's rusticl and llvmpipe against the reference",
            f"scripts/with-runtime rusticl {conformance} --smallest 16 --limit 600 --exceptions test/ops/exceptions.json"
            " --without attention_grad/float16 --without attention_grad/bfloat16",
            built,
            count_words,
            quick=False,
            minutes=25,
            cores=2,
        ),
        Stage(
            "asan-build",
            "the C++ tests with AddressSanitizer and UBSan",
            "cmake --preset asan && cmake --build --preset asan",
            ("packages",),
            quick=False,
            minutes=25,
            cores=2,
        ),
        # Intel's compiler is the faster one: the adapter is tested whole on it. pocl, which the kernels are tested whole on, takes every sixth case.
        Stage(
            "torch",
            "the PyTorch device on pocl, every sixth case",
            f"scripts/with-runtime pocl {python} -m pytest -q test/torch --share 6",
            ("install",),
            count_words,
            minutes=25,
        ),
        Stage(
            "torch-intel",
            "the PyTorch device on Intel's CPU runtime",
            f"scripts/with-runtime intel {python} -m pytest -q test/torch",
            ("install",),
            count_words,
            quick=False,
            minutes=25,
        ),
        Stage(
            "ulp",
            "every row's error in ULP on pocl, Intel's runtime and rusticl",
            "scripts/ulp --runtime pocl --runtime intel --runtime rusticl",
            ("setup", "build"),
            count_words,
            quick=False,
        ),
        Stage(
            "asan-ops",
            "every op of the reference plugin, sanitized, every fourth case",
            f"{sanitized} {asan}/test_ops --plugin reference --quiet --share 4",
            ("asan-build",),
            count_words,
            quick=False,
        ),
        Stage(
            "opinfo",
            "PyTorch's own samples of every op in float32, with gradients, on Intel's CPU runtime",
            "scripts/with-runtime intel scripts/opinfo --jobs 1 --known docs/opinfo.json --json build/opinfo-intel.json",
            ("install",),
            count_words,
            quick=False,
        ),
        Stage(
            "kernels-broken",
            "Oclgrind reports each kernel that is broken on purpose",
            "scripts/check-kernels --seeded-only --jobs 1",
            built,
            count_words,
            quick=False,
        ),
        Stage(
            "compile-matrix",
            "every kernel and variant compiles for a GPU of each vendor, and to SPIR-V",
            "scripts/compile-matrix --ci --jobs 1 --json build/compile-matrix.json",
            ("setup", "build"),
            count_words,
            quick=False,
        ),
        Stage(
            "tools",
            "the oncilla command and the C++ example",
            f"scripts/with-runtime pocl {python} -m pytest -q test/tools",
            ("build", "install"),
            count_words,
        ),
        Stage(
            "opinfo-pocl",
            "a part of them on pocl, with in-place, out=, strided and wrong arguments",
            "scripts/with-runtime pocl scripts/opinfo --jobs 1 --all-checks --share 12 --samples 3 --known docs/opinfo.json --json build/opinfo-pocl.json",
            ("install",),
            count_words,
            quick=False,
        ),
        Stage(
            "runtimes",
            "rusticl and Oclgrind list a device; doctor finds rusticl and Intel's runtime in order",
            "scripts/with-runtime rusticl && scripts/with-runtime oclgrind && for r in rusticl intel; do "
            f"scripts/with-runtime $r {VENV}/bin/oncilla doctor --part machine,device || exit 1; done",
            ("install",),
            quick=False,
        ),
        Stage(
            "coverage",
            "docs/coverage.md says what is registered",
            "scripts/with-runtime pocl scripts/coverage --check",
            ("install",),
            count_words,
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
            "ops-gradients",
            "every backward against finite differences",
            f"{release}/oncilla conformance --gradients --quiet",
            built,
            count_words,
        ),
        Stage(
            "ops-reference",
            "the oracle itself, and what is known of it",
            f"{release}/oncilla conformance --backend reference --complete --level ci --quiet",
            built,
            count_words,
        ),
        Stage(
            "ops-seeded",
            "the op tests catch each seeded defect",
            f"{release}/oncilla conformance --seeded build/release/lib/libtest_faulty_plugin.so",
            built,
            count_words,
        ),
        Stage(
            "plugin",
            "a plugin outside the tree, against an installation",
            f"rm -rf {prefix} build/sample && cmake --install build/release --prefix {prefix} && "
            f"cmake -S examples/plugin -B build/sample -G Ninja -DCMAKE_PREFIX_PATH={prefix} && cmake --build build/sample && "
            f"{prefix}/bin/oncilla conformance --backend build/sample/libsample.so --level ci --quiet",
            built,
            count_words,
        ),
        Stage(
            "kernels",
            "Oclgrind finds nothing in the kernels",
            "scripts/check-kernels --no-seeded",
            built,
            count_words,
            quick=False,
            cores=2,
        ),
        Stage(
            "ops-full",
            "every op on pocl at level full",
            f"scripts/with-runtime pocl {release}/oncilla conformance --complete --level full --quiet --jobs 2",
            built,
            count_words,
            deep=True,
            minutes=120,
            cores=2,
        ),
        Stage(
            "features-off",
            "the smallest cases of every op on pocl and Intel's runtime, without each probed feature in turn",
            "s=0; for f in fp64 fp16 int64_atomics subgroups work_group_collectives svm unified_memory; do for r in pocl intel; do "
            f"ONCILLA_FEATURES_OFF=$f scripts/with-runtime $r {conformance} --smallest 4 || s=1; done; done; exit $s",
            built,
            count_words,
            deep=True,
            minutes=60,
            cores=2,
        ),
        Stage(
            "large",
            "tensors past 2^31 elements",
            f"scripts/with-runtime pocl {release}/test_large",
            built,
            count_doctest,
            deep=True,
        ),
        Stage(
            "unit",
            "the core, with and without copies that are no commands",
            "s=0; for off in '' unified_memory; do echo \"== unit without $off\"; "
            f"ONCILLA_FEATURES_OFF=$off scripts/with-runtime pocl {release}/test_unit || s=1; done; exit $s",
            built,
            count_doctest,
        ),
        Stage("abi", "old and new callers, broken plugins", f"{release}/test_abi", built, count_doctest),
        Stage(
            "faults", "bad input and injected failures", f"scripts/with-runtime pocl {release}/test_faults", built, count_doctest
        ),
        Stage(
            "core-intel",
            "core and faults over Intel's CPU runtime",
            f"s=0; for t in unit faults; do echo == $t; scripts/with-runtime intel {release}/test_$t || s=1; done; exit $s",
            built,
            count_doctest,
            quick=False,
        ),
    ]


class Running:
    """The stages' processes, so that an interruption ends them all."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.processes: set[subprocess.Popen] = set()

    def end_all(self) -> None:
        """Ask the process groups of all stages to end."""
        with self.lock:
            for process in self.processes:
                os.killpg(process.pid, signal.SIGTERM)


RUNNING = Running()


def run(stage: Stage, log: Path) -> tuple[bool, str]:
    """Run a stage's command, its output in `log`; return whether it succeeded, and a remark."""
    # Rows that the user tuned are not what is tested.
    environment = {**os.environ, "POCL_SIGFPE_HANDLER": "0", "PYTHONDONTWRITEBYTECODE": "1", "ONCILLA_TUNING": ""}
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
        with RUNNING.lock:
            RUNNING.processes.add(process)
        try:
            status = process.wait(timeout=60 * stage.minutes)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return False, f"still running after {stage.minutes:g} minutes"
        finally:
            with RUNNING.lock:
                RUNNING.processes.discard(process)
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
        return [s for s in every if not s.deep and (s.quick or not quick)]
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


@dataclass
class Row:
    """What became of a stage."""

    stage: Stage
    counts: Counts
    seconds: float
    remark: str


def work(stage: Stage) -> Row:
    """Run a stage and count its tests."""
    start = time.monotonic()
    log = LOGS / f"{stage.name}.log"
    succeeded, remark = run(stage, log)
    counts, remark = judge(stage, succeeded, remark, log.read_text(errors="replace"))
    return Row(stage, counts, time.monotonic() - start, remark)


def show(row: Row, number: int, total: int) -> None:
    """Print the line of a stage that has ended, and the end of its output if it failed."""
    line = f"[{number:2}/{total}] {row.stage.name:14} {row.stage.about} … "
    if row.counts.failed == 0:
        print(f"{line}ok ({row.seconds:.1f} s)", flush=True)
        return
    print(f"{line}FAILED ({row.seconds:.1f} s){': ' if row.remark else ''}{row.remark}", flush=True)
    log = LOGS / f"{row.stage.name}.log"
    if log.exists():
        tail = log.read_text(errors="replace").splitlines()[-40:]
        print("\n".join(f"    | {text}" for text in tail), flush=True)


def run_all(chosen: list[Stage], cores: int, execute: Callable[[Stage], Row] = work) -> list[Row]:
    """Run the stages, as many at once as the cores carry; return their rows in the order in which they ended."""
    rows: list[Row] = []
    pending, running = list(chosen), dict[Future[Row], Stage]()
    ended: dict[str, bool] = {}  # name: whether it succeeded
    names = {s.name for s in chosen}

    def close(row: Row) -> None:
        rows.append(row)
        ended[row.stage.name] = row.counts.failed == 0
        show(row, len(rows), len(chosen))

    with ThreadPoolExecutor(max_workers=cores) as pool:
        try:
            while pending or running:
                for stage in list(pending):
                    blockers = [need for need in stage.needs if ended.get(need) is False]
                    free = cores - sum(min(s.cores, cores) for s in running.values())
                    if blockers:
                        pending.remove(stage)
                        close(Row(stage, Counts(failed=1), 0, f"not run: {', '.join(blockers)} failed"))
                    elif min(stage.cores, cores) <= free and all(need in ended or need not in names for need in stage.needs):
                        pending.remove(stage)
                        running[pool.submit(execute, stage)] = stage
                done, _ = wait(running, return_when=FIRST_COMPLETED)
                for future in done:
                    del running[future]
                    close(future.result())
        except BaseException:
            RUNNING.end_all()
            raise
    return rows


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
            print(
                f"{stage.name:14} {stage.about}{'  (only by name)' if stage.deep else '' if stage.quick else '  (not with --quick)'}"
            )
        return 0

    chosen = select(every, args.stages, args.quick)
    shutil.rmtree(LOGS, ignore_errors=True)
    LOGS.mkdir(parents=True)
    begin = time.monotonic()
    rows = run_all(chosen, cores=2)
    failed = any(row.counts.failed for row in rows)
    print(f"\n{'stage':14} {'result':8} {'seconds':>8}  tests")
    for row in rows:
        tests = str(row.counts) if row.stage.count else ""
        notes = "; ".join(n for n in (tests, row.remark) if n)
        print(f"{row.stage.name:14} {'FAILED' if row.counts.failed else 'ok':8} {row.seconds:8.1f}  {notes}")
    print(f"{'together':14} {'FAILED' if failed else 'ok':8} {time.monotonic() - begin:8.1f}  logs in {LOGS.relative_to(ROOT)}/")
    print(sum((row.counts for row in rows), Counts()))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
