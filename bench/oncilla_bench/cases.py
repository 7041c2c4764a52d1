"""Cases, read from text files: a line is a kind, its parameters, and what may follow.

    goal mean=1.0 worst=0.6
    matmul m=512 n=512 k=512 quick   # a note

``quick`` marks what --quick runs; the note is shown beside the figures. A file is a group, named as the file is. Its goal is in speed relative to the baseline:
a geometric mean over the group, and the worst case; ``of=ocl:fused`` makes it another contestant's than ``ocl``. Anything that is not understood is an error
that names file and line.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from oncilla_bench.kinds import Kind, Values, all_kinds
from oncilla_bench.parameters import REQUIRED, written

# In a checkout beside the package, in an installation inside it.
HERE = Path(__file__).resolve().parent
FOLDERS = (HERE / "tables", HERE.parent / "cases")


class CaseError(Exception):
    """A line that is wrong: where and why."""


@dataclass(frozen=True)
class Case:
    """One line.

    Attributes
    ----------
    name
        Kind and parameters in the kind's order, those at their default left out: equal for equal cases, and in every run.
    """

    name: str
    group: str
    kind: Kind
    values: Values
    note: str = ""
    quick: bool = False


@dataclass
class Group:
    """The cases of one file, and what is wanted of them (None: nothing)."""

    name: str
    cases: list[Case] = field(default_factory=list)
    mean: float | None = None
    worst: float | None = None
    of: str = "ocl"  # whose the goal is


def _pairs(words: Iterable[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for word in words:
        key, equals, text = word.partition("=")
        if not equals or not key or not text:
            raise ValueError(f'"{word}" is not name=value')
        if key in found:
            raise ValueError(f"{key} is named twice")
        found[key] = text
    return found


def _goal(group: Group, words: list[str]) -> None:
    if group.mean is not None or group.worst is not None:
        raise ValueError("a second goal")
    for key, text in _pairs(words).items():
        if key == "of":
            group.of = text
            continue
        if key not in ("mean", "worst"):
            raise ValueError(f'a goal has mean, worst and of, not "{key}"')
        if not re.fullmatch(r"\d+(\.\d+)?", text):
            raise ValueError(f'{key}="{text}" is not a number')
        setattr(group, key, float(text))


def read_case(group: str, words: list[str], note: str = "", kinds: Mapping[str, Kind] | None = None) -> Case:
    """Make a case of a line's words; ValueError says what is wrong with them."""
    known = all_kinds() if kinds is None else kinds
    if words[0] not in known:
        raise ValueError(f'no kind is called "{words[0]}"; there are {", ".join(sorted(known))}')
    kind = known[words[0]]
    quick = words[-1] == "quick"
    given = _pairs(words[1:-1] if quick else words[1:])
    values = Values()
    for key in given:
        if key not in kind.parameters:
            raise ValueError(f'{kind.name} has no parameter "{key}", but {", ".join(kind.parameters)}')
    for key, parameter in kind.parameters.items():
        if key in given:
            try:
                setattr(values, key, parameter.read(given[key]))
            except ValueError as error:
                raise ValueError(f'{key}="{given[key]}": {error}') from None
        elif parameter.default is REQUIRED:
            raise ValueError(f"{kind.name} needs {key}=")
        else:
            setattr(values, key, parameter.default)
    shown = [f"{k}={written(v)}" for k, v in vars(values).items() if v != kind.parameters[k].default]
    return Case(" ".join([kind.name, *shown]), group, kind, values, note, quick)


def read_group(path: Path, kinds: Mapping[str, Kind] | None = None) -> Group:
    """Read one file."""
    group = Group(path.stem)
    seen: dict[str, int] = {}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        text, _, note = line.partition("#")
        words = text.split()
        if not words:
            continue
        try:
            if words[0] == "goal":
                _goal(group, words[1:])
                continue
            case = read_case(group.name, words, note.strip(), kinds)
            if case.name in seen:
                raise ValueError(f"the same as line {seen[case.name]}")
        except ValueError as error:
            raise CaseError(f"{path}:{number}: {error}") from None
        seen[case.name] = number
        group.cases.append(case)
    return group


def read_groups(folder: Path | None = None) -> list[Group]:
    """Read every ``*.txt`` of a folder, by name."""
    where = folder or next((f for f in FOLDERS if f.is_dir()), FOLDERS[0])
    files = sorted(where.glob("*.txt"))
    if not files:
        raise CaseError(f"{where} has no *.txt")
    return [read_group(file) for file in files]


def select(groups: list[Group], names: list[str], pattern: str | None, quick: bool) -> list[Group]:
    """Keep the groups of these names (all without any), and their cases that match and, where asked for, are quick."""
    unknown = [n for n in names if n not in {g.name for g in groups}]
    if unknown:
        raise CaseError(f"no group is called {', '.join(unknown)}; there are {', '.join(g.name for g in groups)}")
    try:
        wanted = re.compile(pattern or "")
    except re.error as error:
        raise CaseError(f'--case "{pattern}" is not a regular expression: {error}') from None
    kept = []
    for group in groups:
        if names and group.name not in names:
            continue
        cases = [c for c in group.cases if (c.quick or not quick) and wanted.search(f"{c.name} # {c.note}")]
        if cases:
            kept.append(Group(group.name, cases, group.mean, group.worst))
    return kept
