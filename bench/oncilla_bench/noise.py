"""What else the machine did during a measurement, of Linux's /proc: time stolen by a hypervisor, and other processes."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

STAT = Path("/proc/stat")
STOLEN = 0.02  # of the cores' time: more is reported
OTHERS = 0.05


@dataclass(frozen=True)
class Noise:
    """Shares of the cores' time; 0 where the system does not say."""

    stolen: float
    others: float

    @property
    def words(self) -> list[str]:
        """What is worth reporting."""
        found = [("stolen", self.stolen, STOLEN), ("other processes", self.others, OTHERS)]
        return [f"{name} {share:.0%}" for name, share, limit in found if share > limit]


class Watch:
    """Counts from its making to read()."""

    def __init__(self) -> None:
        self.begin = self._counts()

    @staticmethod
    def _counts() -> tuple[float, float, float, float]:
        """Seconds of all cores: together, busy, stolen, busy for this process."""
        try:
            user, nice, system, idle, wait, irq, soft, stolen = map(int, STAT.read_text().split("\n", 1)[0].split()[1:9])
        except (OSError, ValueError):
            return 0.0, 0.0, 0.0, 0.0
        own = os.times()
        busy = user + nice + system + irq + soft
        tick = os.sysconf("SC_CLK_TCK")
        return (busy + idle + wait + stolen) / tick, busy / tick, stolen / tick, own.user + own.system

    def read(self) -> Noise:
        """Return the shares since the beginning."""
        total, busy, stolen, own = (b - a for a, b in zip(self.begin, self._counts(), strict=True))
        if total <= 0:
            return Noise(0.0, 0.0)
        return Noise(stolen / total, max(0.0, busy - own) / total)
