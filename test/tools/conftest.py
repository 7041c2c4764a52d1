"""Where the tests find what they run: the installed command, and the examples of the release build."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
Run = Callable[..., subprocess.CompletedProcess]


def program(variable: str, usual: Path) -> Path:
    path = Path(os.environ.get(variable, usual))
    if not path.exists():
        pytest.fail(f"{path} is not built: run scripts/setup and cmake --preset release, or set {variable}")
    return path


@pytest.fixture(scope="session")
def tool() -> Path:
    return program("ONCILLA_TOOL", Path(sys.executable).parent / "oncilla")


@pytest.fixture(scope="session")
def mlp_digits() -> Path:
    return program("ONCILLA_MLP_DIGITS", ROOT / "build/release/bin/mlp_digits")


@pytest.fixture
def oncilla(tool: Path) -> Run:
    """Run the command with arguments, and environment changes as keywords; a value of None removes a variable."""

    def run(*arguments: str, **changes: str | None) -> subprocess.CompletedProcess:
        environment = {k: v for k, v in {**os.environ, **changes}.items() if v is not None}
        return subprocess.run([tool, *arguments], env=environment, capture_output=True, text=True, timeout=300, check=False)

    return run
