"""The parameters of a kind of case: how their text is read, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

REQUIRED = object()


@dataclass(frozen=True)
class Parameter:
    """One ``name=value`` of a case's line.

    Attributes
    ----------
    read
        Makes the value of the text; raises ValueError with the reason.
    default
        Taken where the line does not name the parameter; REQUIRED where it must.
    """

    read: Callable[[str], Any]
    default: Any = REQUIRED


def size(default: Any = REQUIRED, least: int = 1) -> Parameter:
    """Return a parameter that is a whole number of at least `least`."""

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or int(text) < least:
            raise ValueError(f"not a whole number of at least {least}")
        return int(text)

    return Parameter(read, default)


def number(default: Any = REQUIRED) -> Parameter:
    """Return a parameter that is a number."""
    return Parameter(float, default)


def shape(default: Any = REQUIRED) -> Parameter:
    """Return a parameter that is a shape: ``64x3x7x7``."""
    one = size().read

    def read(text: str) -> tuple[int, ...]:
        try:
            return tuple(one(part) for part in text.split("x"))
        except ValueError:
            raise ValueError("not a shape such as 64x128x7") from None

    return Parameter(read, default)


def one_of(*words: str, default: Any = REQUIRED) -> Parameter:
    """Return a parameter that is one of these words."""

    def read(text: str) -> str:
        if text not in words:
            raise ValueError(f"not one of {', '.join(words)}")
        return text

    return Parameter(read, default)


def written(value: Any) -> str:
    """Write a value as a line has it."""
    if isinstance(value, tuple):
        return "x".join(map(str, value))
    return f"{value:g}" if isinstance(value, float) else str(value)
