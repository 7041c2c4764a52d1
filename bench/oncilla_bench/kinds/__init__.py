"""The kinds of cases: a module a topic. A kind is a function that makes a workload of a line's values; @kind registers it under its name."""

from __future__ import annotations

import functools
import importlib
import pkgutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from oncilla_bench.parameters import Parameter, one_of

if TYPE_CHECKING:
    from oncilla_bench.workload import Workload

DTYPES = ("f32", "f64", "f16", "bf16")


class Values(SimpleNamespace):
    """A case's parameters, as attributes."""

    def __getattr__(self, name: str) -> Any:  # so that type checkers know that there are some
        raise AttributeError(f"this kind of case has no {name}")


@dataclass(frozen=True)
class Kind:
    """What can stand first on a case's line.

    Attributes
    ----------
    name
        That word.
    parameters
        What may follow, in the order in which a case's name has it.
    build
        Makes the workload.
    """

    name: str
    parameters: Mapping[str, Parameter]
    build: Callable[[Values], Workload]


KINDS: dict[str, Kind] = {}


def kind(name: str, /, **parameters: Parameter) -> Callable[[Callable[[Values], Workload]], Callable[[Values], Workload]]:
    """Register a function as a kind; every kind has a dtype besides its own parameters."""

    def register(build: Callable[[Values], Workload]) -> Callable[[Values], Workload]:
        KINDS[name] = Kind(name, {**parameters, "dtype": one_of(*DTYPES, default="f32")}, build)
        return build

    return register


@functools.cache
def all_kinds() -> Mapping[str, Kind]:
    """Import every module of this folder, and return what they registered."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    return KINDS
