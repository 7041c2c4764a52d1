"""The contestants: a module each, found at run time. A new one is a file here with a class that derives from Contestant.

A contestant says whether it can run here, prepares a case or declines it with a reason, and gives its results back as tensors on the CPU, because they are
compared before anything is timed. oneDNN and MKL are no contestants of their own: PyTorch's CPU backend calls them.
"""

from __future__ import annotations

import importlib
import pkgutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

    from oncilla_bench.cases import Case
    from oncilla_bench.workload import Workload

BASELINE = "torch"


class DeclinedError(Exception):
    """A contestant does not take part in a case: no failure."""


class Prepared(ABC):
    """A case on a contestant, its inputs in place."""

    @abstractmethod
    def call(self) -> Any:
        """Do the work once; it may go on after the return."""

    def finish(self) -> None:
        """Wait until the work of all calls is done. To be overridden where calls return earlier."""
        return

    @abstractmethod
    def fetch(self, result: Any) -> Sequence[torch.Tensor]:
        """Turn what call() returned into tensors on the CPU."""

    def start_peak(self) -> None:
        """Begin to watch memory. To be overridden where an allocator counts."""
        return

    def peak_bytes(self) -> int | None:
        """Return the peak since start_peak(); None where nothing counts it, and the process's resident memory is taken."""
        return None

    def kernels(self, count: int) -> dict[str, float]:
        """Make `count` calls and return a call's seconds in each kernel; empty where nothing tells."""
        return {}

    def notes(self) -> str:
        """Say what of the calls a reader must know."""
        return ""

    def close(self) -> None:
        """Give memory back. To be overridden where a cache would keep it."""
        return


class Contestant(ABC):
    """One implementation.

    Attributes
    ----------
    name
        In tables and on the command line.
    about
        A sentence.
    default
        Whether it takes part unless others are named.
    """

    name: str
    about: str
    default = True

    @abstractmethod
    def missing(self) -> str:
        """Say why it cannot run here; an empty string if it can."""

    @abstractmethod
    def versions(self) -> dict[str, str]:
        """Return the versions of what it runs on."""

    @abstractmethod
    def prepare(self, case: Case, workload: Workload) -> Prepared:
        """Put a case in place; raise DeclinedError if it cannot serve it."""


def _derived(kind: type[Contestant]) -> list[type[Contestant]]:
    return [c for one in kind.__subclasses__() for c in ([one] if "name" in vars(one) else []) + _derived(one)]


def all_contestants() -> dict[str, Contestant]:
    """Import every module of this folder; return its contestants by name, the baseline first."""
    for module in pkgutil.iter_modules(__path__):
        importlib.import_module(f"{__name__}.{module.name}")
    found = {c.name: c() for c in _derived(Contestant)}
    order = [BASELINE, "ocl"]
    return dict(sorted(found.items(), key=lambda item: order.index(item[0]) if item[0] in order else len(order)))
