"""The C++ example: learns the digits without PyTorch, the same way twice."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT


@pytest.fixture(scope="session")
def digits(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("digits")
    subprocess.run([sys.executable, ROOT / "examples/export_digits.py", folder], check=True)
    return folder


def run(program: Path, *arguments: object) -> subprocess.CompletedProcess:
    return subprocess.run([program, *map(str, arguments)], capture_output=True, text=True, timeout=600, check=False)


def accuracy(result: subprocess.CompletedProcess) -> float:
    assert result.returncode == 0, result.stderr
    return float(re.search(r"test accuracy ([\d.]+) %", result.stdout.splitlines()[-1])[1])


@pytest.mark.parametrize("plugin", ["opencl", "reference"])
def test_learns(mlp_digits: Path, digits: Path, plugin: str) -> None:
    assert accuracy(run(mlp_digits, "--data", digits, "--plugin", plugin)) >= 95


def test_same_seed_same_losses(mlp_digits: Path, digits: Path) -> None:
    def losses(seed: int) -> list[str]:
        result = run(mlp_digits, "--data", digits, "--epochs", 2, "--seed", seed)
        assert result.returncode == 0, result.stderr
        return re.findall(r"loss ([\d.]+)", result.stdout)

    assert losses(1) == losses(1)
    assert losses(1) != losses(2)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--device", "99"), ("99",)),
        (("--device", "x"), ("--device", "x")),
        (("--epochs",), ("--epochs",)),
        (("--frobnicate",), ("--frobnicate",)),
        (("--plugin", "nosuch"), ("nosuch",)),
    ],
)
def test_wrong_arguments(mlp_digits: Path, digits: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    result = run(mlp_digits, "--data", digits, *arguments)
    assert result.returncode in (1, 2)
    for word in words:
        assert word in result.stderr


def test_missing_and_damaged_data(mlp_digits: Path, digits: Path, tmp_path: Path) -> None:
    result = run(mlp_digits, "--data", tmp_path)
    assert result.returncode == 1
    assert "export_digits.py" in result.stderr
    for file in digits.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    damaged = tmp_path / "train-images.idx3-ubyte"
    damaged.write_bytes(damaged.read_bytes()[:1000])
    result = run(mlp_digits, "--data", tmp_path)
    assert result.returncode == 1
    assert "train-images" in result.stderr
