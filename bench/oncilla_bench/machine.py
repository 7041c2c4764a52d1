"""What the figures were measured on: cores, memory, system, versions, commit; and how many threads everybody gets."""

from __future__ import annotations

import contextlib
import ctypes
import os
import platform
import subprocess
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
# Each library's own word for its number of threads, read when it starts; the process's affinity holds for all of them whatever they read.
THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "POCL_MAX_PTHREAD_COUNT", "CL_CONFIG_CPU_TBB_NUM_WORKERS")


def cores() -> int:
    """Count the cores that this process may use."""
    return len(os.sched_getaffinity(0))


def limit_threads(count: int) -> None:
    """Give every contestant the same number of threads and cores. To be called before any of their libraries is loaded."""
    allowed = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, allowed[:count])
    for name in THREADS:
        os.environ[name] = str(count)
    # OpenBLAS's threads would spin for 25 ms after each product, in the next contestant's time.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "18")
    # pocl's handler of SIGFPE ends a process in which Python divides by zero.
    os.environ.setdefault("POCL_SIGFPE_HANDLER", "0")


def _field(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text().splitlines()
    except OSError:
        return ""
    return next((line.split(":", 1)[1].strip() for line in lines if line.split(":", 1)[0].strip() == name), "")


def describe(threads: int) -> dict[str, Any]:
    """Describe the machine."""
    return {
        "cpu": _field("/proc/cpuinfo", "model name") or platform.processor(),
        "cores": os.cpu_count(),
        "threads": threads,
        "memory_bytes": os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES"),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "hypervisor": "hypervisor" in _field("/proc/cpuinfo", "flags").split(),
        "governor": _text("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor"),
        "load": os.getloadavg()[0],
    }


def _text(file: str) -> str:
    try:
        return Path(file).read_text().strip()
    except OSError:
        return ""


def commit() -> str:
    """Return the checkout's commit, with "+" where files differ from it; empty for an installation."""

    def git(*arguments: str) -> str:
        command = ["git", "-C", str(HERE), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=20).stdout.strip()

    try:
        if not (Path(git("rev-parse", "--show-toplevel")) / "bench/oncilla_bench").samefile(HERE):
            return ""
        return git("rev-parse", "--short=10", "HEAD") + ("+" if git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.SubprocessError):
        return ""


def resident_bytes() -> int:
    """Return the memory that this process has now, after it gave back what it had freed."""
    with contextlib.suppress(AttributeError, OSError):
        ctypes.CDLL(None).malloc_trim(0)
    return _kilobytes("VmRSS")


def start_peak() -> bool:
    """Set the process's peak of resident memory to what it has now; False where the system does not let it."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return False
    return True


def peak_bytes() -> int:
    """Return the peak of resident memory since start_peak()."""
    return _kilobytes("VmHWM")


def _kilobytes(name: str) -> int:
    words = _field("/proc/self/status", name).split()
    return int(words[0]) * 1024 if words else 0
