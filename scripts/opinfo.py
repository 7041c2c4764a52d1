"""Run PyTorch's OpInfo database on ocl against the CPU, and save what came of each op.

Every sample of every op: the results, the gradients, the in-place and out= variants, samples with gaps, and the error inputs (--check). Values are compared at
the tolerance of torch.testing for the dtype, or at the wider one that an OpInfo states for its common tests. A result beyond it passes only if it is about as
near to a float64 run as the CPU is: at most 2 times (3 times for half types, as in torch._dynamo.utils.same) the largest error of three runs on the CPU, one as it
is and two on inputs that are moved by one ULP. docs/coverage.md names these ops. Random results are compared in
shape and dtype. A sample that the CPU refuses is not counted.

An op passes if all its samples do. It passes without fallback if, besides, nothing ran on the CPU meanwhile; --no-fallback lets nothing run there.
Exits with 1 if an op gave a wrong result or ended the process; with --known, if an op fails that did not.
"""

from __future__ import annotations

import argparse
import datetime
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path
from typing import Any

import torch
from opinfo_worker import CHECKS, full_name
from torch.testing._internal.common_methods_invocations import op_db
from tqdm import tqdm

ROOT = Path(__file__).resolve().parent.parent
SAVED = ROOT / "docs/opinfo.json"
DTYPES = ("float32", "float64", "float16", "bfloat16", "int64", "int32", "uint8", "bool", "complex64")


class Worker:
    """A process that judges one op after another."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.process: subprocess.Popen[str] | None = None

    def run(self, job: dict[str, Any], limit: float) -> dict[str, Any]:
        """Judge one op; a process that ends or takes too long is the op's failure, and the next job gets a new one."""
        if self.process is None:
            command = [sys.executable, str(ROOT / "scripts/opinfo_worker.py")]
            self.process = subprocess.Popen(
                command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=self.environment
            )
        process = self.process
        late = threading.Event()

        def stop() -> None:
            late.set()
            process.kill()

        timer = threading.Timer(limit, stop)
        timer.start()
        try:
            process.stdin.write(json.dumps(job) + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except BrokenPipeError:
            answer = ""
        finally:
            timer.cancel()
        if answer:
            return json.loads(answer)
        code = process.wait()
        self.process = None
        kind, message = ("timeout", f"took more than {limit:g} s") if late.is_set() else ("crash", f"the process ended with {code}")
        return {
            "op": job["op"], "dtype": job["dtype"], "samples": 0, "passed": 0, "skipped": 0, "random": 0, "nearer": 0, "fallbacks": {},
            "failures": [{"check": "", "kind": kind, "sample": "", "message": message}],
        }  # fmt: skip

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.process.stdin.close()
            self.process.wait()


def jobs(arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """List what is to be judged: each op in each dtype that its OpInfo supports on the CPU."""
    names = {full_name(op) for op in op_db} | {op.name for op in op_db}
    unknown = [name for name in arguments.op if name not in names]
    if unknown:
        sys.exit(f"opinfo: no OpInfo is called {', '.join(unknown)}; --list shows the names")
    every = [
        {"index": i, "op": full_name(op), "dtype": dtype, "checks": arguments.check, "samples": arguments.samples}
        for dtype in arguments.dtype
        for i, op in enumerate(op_db)
        if (not arguments.op or op.name in arguments.op or full_name(op) in arguments.op)
        and getattr(torch, dtype) in op.supported_dtypes("cpu")
    ]
    return every[:: arguments.share]


def run_all(todo: list[dict[str, Any]], arguments: argparse.Namespace) -> list[dict[str, Any]]:
    """Judge everything in worker processes, in the order of the database, and say what fails as it does."""
    environment = {**os.environ, "ONCILLA_FALLBACK": "error" if arguments.no_fallback else "silent"}
    local = threading.local()
    workers: list[Worker] = []

    def one(job: dict[str, Any]) -> dict[str, Any]:
        if not hasattr(local, "worker"):
            local.worker = Worker(environment)
            workers.append(local.worker)
        return local.worker.run(job, arguments.limit)

    found: dict[int, dict[str, Any]] = {}
    with ThreadPoolExecutor(arguments.jobs) as pool, tqdm(total=len(todo), unit="op", disable=not sys.stderr.isatty()) as bar:
        waiting = {pool.submit(one, job): i for i, job in enumerate(todo)}
        for count, done in enumerate(as_completed(waiting), 1):
            outcome = found[waiting[done]] = done.result()
            bar.update()
            if bar.disable and count % 50 == 0:
                print(f"{count} of {len(todo)} ops", flush=True)
            if outcome["failures"]:
                bar.clear()
                print(describe(outcome), flush=True)
                bar.refresh()
    for worker in workers:
        worker.close()
    return [found[i] for i in range(len(todo))]


def describe(outcome: dict[str, Any]) -> str:
    """Say in two lines how an op fails."""
    kinds = Counter(failure["kind"] for failure in outcome["failures"])
    first = outcome["failures"][0]
    counted = ", ".join(f"{count} {kind}" for kind, count in kinds.items())
    return f"FAILED {outcome['op']} {outcome['dtype']}: {counted}, of {outcome['samples']}\n  {first['check']}: {' '.join(first['message'].split())[:300]}"


def summary(outcomes: list[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Count by dtype: ops, those that pass, pass without fallback, and how the others fail."""
    table: dict[str, Counter[str]] = {}
    for outcome in outcomes:
        row = table.setdefault(outcome["dtype"], Counter())
        row["ops"] += 1
        row["samples"] += outcome["samples"]
        if not outcome["failures"]:
            row["passed"] += 1
            row["without fallback"] += not outcome["fallbacks"]
        for kind in {failure["kind"] for failure in outcome["failures"]}:
            row[kind] += 1
    return {dtype: dict(row) for dtype, row in table.items()}


def failing(outcomes: list[dict[str, Any]]) -> set[tuple[str, str]]:
    """Name the ops and dtypes that fail."""
    return {(outcome["op"], outcome["dtype"]) for outcome in outcomes if outcome["failures"]}


def compact(outcome: dict[str, Any]) -> dict[str, Any]:
    """Keep one failure of each kind and check: what a reader needs."""
    seen: dict[tuple[str, str], dict[str, Any]] = {}
    for failure in outcome["failures"]:
        key = (failure["check"], failure["kind"])
        if key in seen:
            seen[key]["count"] += 1
        else:
            seen[key] = {**failure, "count": 1}
    return {**outcome, "failures": list(seen.values())}


def merged(before: dict[str, Any], result: dict[str, Any]) -> dict[str, Any]:
    """Put new dtypes in the place of old ones; of the ops, keep those of which there is more to say than that they pass."""
    told = [op for op in result["ops"] if op["failures"] or op["fallbacks"] or op["nearer"]]
    ops = [op for op in before["ops"] if op["dtype"] not in result["summary"]] + told
    order = {dtype: i for i, dtype in enumerate(DTYPES)}
    summary = before["summary"] | result["summary"]
    return {
        "summary": {dtype: summary[dtype] for dtype in sorted(summary, key=order.__getitem__)},
        "ops": sorted(ops, key=lambda op: order[op["dtype"]]),
    }


def write(path: Path, result: dict[str, Any]) -> None:
    """Write a result, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    written = path.with_suffix(".new")
    written.write_text(json.dumps(result, indent=1) + "\n")
    written.replace(path)


def main() -> int:
    """Run, print, save."""
    parser = argparse.ArgumentParser(
        prog="scripts/opinfo", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--dtype", action="append", choices=DTYPES, help="may repeat (default: float32)")
    parser.add_argument("--all-dtypes", action="store_true", help="every dtype of the list")
    parser.add_argument(
        "--op",
        action="append",
        default=[],
        metavar="NAME",
        help="an OpInfo, with or without its variant; may repeat (default: all)",
    )
    parser.add_argument("--check", action="append", choices=CHECKS, help="may repeat (default: forward and backward)")
    parser.add_argument("--all-checks", action="store_true", help="every check")
    parser.add_argument(
        "--samples", type=int, default=10**6, metavar="N", help="at most N of each op and check, evenly chosen (default: all)"
    )
    parser.add_argument("--share", type=int, default=1, metavar="N", help="every Nth op (default: all)")
    parser.add_argument(
        "--known",
        type=Path,
        metavar="FILE",
        help="a saved result: exit with 1 if an op fails that does not fail there, whatever the failure",
    )
    parser.add_argument("--no-fallback", action="store_true", help="what would run on the CPU raises an error instead")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, metavar="N", help="worker processes (default: one a core)")
    parser.add_argument("--limit", type=float, default=900, metavar="SECONDS", help="for one op (default: 900)")
    parser.add_argument("--json", type=Path, metavar="FILE", help="where the result is saved (default: build/opinfo.json)")
    parser.add_argument(
        "--save",
        action="store_true",
        help="put the result into docs/opinfo.json, too, of which scripts/coverage makes docs/coverage.md",
    )
    parser.add_argument("--list", action="store_true", help="print the names, and end")
    arguments = parser.parse_args()
    if arguments.save and (arguments.op or arguments.share > 1 or arguments.samples < 10**6):
        parser.error("--save is for whole dtypes: it goes with neither --op nor --share nor --samples")
    if arguments.list:
        print("\n".join(full_name(op) for op in op_db))
        return 0
    arguments.dtype = list(DTYPES) if arguments.all_dtypes else arguments.dtype or ["float32"]
    arguments.check = list(CHECKS) if arguments.all_checks else arguments.check or ["forward", "backward"]
    for name in ("jobs", "samples", "share"):
        if getattr(arguments, name) < 1:
            parser.error(f"--{name} must be at least 1, not {getattr(arguments, name)}")
    try:
        known = failing(json.loads(arguments.known.read_text())["ops"]) if arguments.known else None
    except (OSError, ValueError, KeyError) as error:
        parser.error(f"--known: {arguments.known} is no saved result: {error}")
    if not torch.ocl.is_available():
        sys.exit(f"opinfo: no ocl device: {'; '.join(torch.ocl.problems()) or 'OpenCL offers none'}")

    begin = time.monotonic()
    outcomes = run_all(jobs(arguments), arguments)
    counts = summary(outcomes)
    how = {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "device": torch.ocl.get_device_name(),
        "torch": torch.__version__,
        "checks": arguments.check,
        "on the CPU": "refused" if arguments.no_fallback else "allowed",
    }
    result = {"summary": {dtype: how | row for dtype, row in counts.items()}, "ops": [compact(outcome) for outcome in outcomes]}
    path = arguments.json or ROOT / "build/opinfo.json"
    write(path, result)
    if arguments.save:
        write(SAVED, merged(json.loads(SAVED.read_text()) if SAVED.exists() else {"summary": {}, "ops": []}, result))

    for dtype, row in counts.items():
        others = ", ".join(f"{row[kind]} {kind}" for kind in ("wrong", "error", "fallback", "crash", "timeout") if kind in row)
        print(f"{dtype}: {row.get('passed', 0)} of {row['ops']} ops pass all of {row['samples']} samples, "
              f"{row.get('without fallback', 0)} of them without fallback{'; failed: ' + others if others else ''}")  # fmt: skip
    print(f"{time.monotonic() - begin:.0f} s; saved to {path}")
    if known is not None:
        new = sorted(failing(outcomes) - known)
        failed = len(new)
        print(
            f"{len(outcomes) - failed} passed, {failed} failed"
            + (f": {', '.join(f'{op} ({dtype})' for op, dtype in new)}" if new else "")
        )
        return int(failed > 0)
    return int(any(row.get(kind) for row in counts.values() for kind in ("wrong", "crash", "timeout")))


if __name__ == "__main__":
    sys.exit(main())
