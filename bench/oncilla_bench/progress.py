"""A bar and lines on a terminal, lines alone elsewhere."""

from __future__ import annotations

import sys
from collections.abc import Iterable

from tqdm import tqdm


class Progress:
    """Shows how far a run is; a context manager.

    Parameters
    ----------
    total
        Number of cases.
    quiet
        No lines, no bar.
    """

    def __init__(self, total: int, quiet: bool) -> None:
        self.quiet = quiet
        self.bar = tqdm(total=total, unit="case", disable=quiet or not sys.stderr.isatty(), dynamic_ncols=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.close()

    def begin(self, name: str) -> None:
        """Name the case that is running."""
        self.bar.set_description_str(name[:40])

    def end(self, lines: Iterable[str]) -> None:
        """Show what came of it."""
        if not self.quiet:
            self.say("\n".join(lines))
        self.bar.update()

    def say(self, text: str) -> None:
        """Write above the bar."""
        with self.bar.external_write_mode(file=sys.stdout):
            print(text, flush=True)
