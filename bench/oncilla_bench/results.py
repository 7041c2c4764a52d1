"""What a run found, and its JSON; docs/bench.md describes the fields. No PyTorch here: `compare` and `page` run without it."""

from __future__ import annotations

import dataclasses
import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

SCHEMA = 1


class ResultError(Exception):
    """A file that is no result of a run."""


@dataclass
class Result:
    """One contestant in one case.

    Attributes
    ----------
    status
        ok; wrong: its results differ, so it was not timed; failed: an error; declined: it does not serve the case.
    reason
        Of a status other than ok, or what a reader must know beside it.
    error
        Largest difference from the baseline's result by the largest value.
    seconds
        Median time of one call.
    times
        One call's, round by round; round i of every contestant is the same stretch of time.
    ratio, low, high
        Speed relative to the baseline, median of the rounds' ratios, and its 95 % interval.
    first_seconds
        The very first call, with all that is compiled then.
    kernels
        Seconds of one call in each kernel or copy of the device, by name, where the contestant can tell; measured apart from the times.
    peak_bytes, peak_of
        Memory of one call beyond what was there before, and what counted it: the contestant's allocator, or the process.
    drift
        By how much the ratio of the second half of the rounds is off the first's, if beyond chance.
    """

    status: str
    reason: str = ""
    error: float | None = None
    seconds: float | None = None
    times: list[float] = field(default_factory=list)
    ratio: float | None = None
    low: float | None = None
    high: float | None = None
    first_seconds: float | None = None
    peak_bytes: int | None = None
    peak_of: str = ""
    drift: float = 0.0
    kernels: dict[str, float] = field(default_factory=dict)


@dataclass
class CaseResult:
    """One case; `noise` in words, empty where the machine was quiet."""

    name: str
    group: str
    note: str = ""
    flops: float = 0.0
    bytes: float = 0.0
    tolerance: float = 0.0
    rounds: int = 0
    noise: list[str] = field(default_factory=list)
    results: dict[str, Result] = field(default_factory=dict)

    def timed(self, contestant: str) -> Result | None:
        """Return a contestant's result if it has a ratio."""
        found = self.results.get(contestant)
        return found if found and found.status == "ok" and found.ratio else None


@dataclass
class Run:
    """Everything of one run."""

    created: str
    baseline: str
    machine: dict[str, Any]
    versions: dict[str, dict[str, str]]
    commit: str
    options: dict[str, Any]
    roofline: dict[str, Any]
    goals: dict[str, dict[str, Any]]
    cases: list[CaseResult] = field(default_factory=list)
    complete: bool = False
    schema: int = SCHEMA

    def contestants(self) -> list[str]:
        """Name those that were timed anywhere, the baseline left out."""
        names: dict[str, None] = {}
        for case in self.cases:
            names |= dict.fromkeys(n for n in case.results if n != self.baseline and case.timed(n))
        return list(names)

    def goal(self, group: str, contestant: str = "") -> dict[str, float]:
        """Return what is wanted of a contestant in a group, as mean and worst; of whosever goal it is if none is named."""
        found = self.goals.get(group, {})
        if contestant and contestant != found.get("of", "ocl"):
            return {}
        return {k: found[k] for k in ("mean", "worst") if found.get(k)}

    def groups(self) -> dict[str, list[CaseResult]]:
        """Sort the cases by group."""
        found: dict[str, list[CaseResult]] = {}
        for case in self.cases:
            found.setdefault(case.group, []).append(case)
        return found


def _plain(value: Any) -> Any:
    """Leave out what no other program needs: more than six digits of a time; NaN and infinity, which JSON does not have."""
    if isinstance(value, float):
        return float(f"{value:.6g}") if abs(value) < float("inf") else None
    if isinstance(value, dict):
        return {k: _plain(v) for k, v in value.items()}
    if isinstance(value, list):
        return [_plain(v) for v in value]
    return value


def save(run: Run, path: Path) -> None:
    """Write under another name and rename, so that an interruption leaves the last good file."""
    beside = path.with_name(path.name + ".part")
    beside.write_text(json.dumps(_plain(dataclasses.asdict(run)), indent=1, allow_nan=False) + "\n", encoding="utf-8")
    os.replace(beside, path)


def load(path: Path) -> Run:
    """Read a run; ResultError says what is wrong with the file."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise ResultError(f"{path}: {error}") from None
    if not isinstance(document, dict) or document.get("schema") != SCHEMA:
        found = document.get("schema") if isinstance(document, dict) else type(document).__name__
        raise ResultError(f"{path}: schema {found}, not {SCHEMA}: no result of `oncilla bench --json`")
    try:
        cases = [
            CaseResult(**{**case, "results": {name: Result(**result) for name, result in case["results"].items()}})
            for case in document.pop("cases")
        ]
        return Run(**document, cases=cases)
    except (TypeError, KeyError, AttributeError) as error:
        raise ResultError(f"{path}: {error}") from None
