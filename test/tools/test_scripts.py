"""The scripts: how they answer wrong arguments, what with-runtime sets, and that the stages of scripts/test count honestly."""

import importlib.util
import os
import subprocess
import sys
import threading
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT


def script(name: str, *arguments: str) -> subprocess.CompletedProcess:
    command = [ROOT / "scripts" / name, *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False, stdin=subprocess.DEVNULL)


@pytest.fixture(scope="module")
def stages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("test_stages", ROOT / "scripts/test_stages.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("with-runtime",), ("which implementation", "pocl", "intel", "rusticl", "oclgrind")),
        (("with-runtime", "nosuch", "true"), ("nosuch", "pocl", "intel", "rusticl", "oclgrind")),
        (("quickstart", "--frobnicate"), ("--frobnicate", "--help")),
        (("quickstart", "--device"), ("--device needs a value",)),
        (("setup", "--frobnicate"), ("--frobnicate", "--help")),
        (("format", "--frobnicate"), ("usage",)),
        (("test", "nosuch"), ("nosuch", "--list")),
    ],
)
def test_wrong_arguments(arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    result = script(*arguments)
    assert result.returncode != 0
    for word in words:
        assert word in result.stderr
    assert result.stdout == ""


@pytest.mark.parametrize("name", ["quickstart", "setup", "test", "with-runtime"])
def test_help(name: str) -> None:
    result = script(name, "--help")
    assert result.returncode == 0
    assert f"scripts/{name}" in result.stdout


def test_with_runtime_shows_one_implementation_and_passes_the_status_on() -> None:
    result = script("with-runtime", "pocl", "bash", "-c", "echo $OCL_ICD_VENDORS; exit 7")
    assert result.returncode == 7
    icds = list(Path(result.stdout.strip()).glob("*.icd"))
    assert [icd.name for icd in icds] == ["pocl.icd"]
    assert Path(icds[0].read_text().strip()).exists()


def test_with_runtime_keeps_arguments_apart() -> None:
    result = script("with-runtime", "pocl", "printf", "%s|", "a b", "", "c")
    assert result.stdout == "a b||c|"


def test_with_runtime_without_a_command_lists_the_device(tool: Path) -> None:
    environment = {**os.environ, "PATH": f"{tool.parent}:{os.environ['PATH']}"}
    result = subprocess.run(
        [ROOT / "scripts/with-runtime", "pocl"], env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    assert result.returncode == 0, result.stderr
    assert "Portable Computing Language" in result.stdout


@pytest.mark.parametrize(
    ("counter", "output", "expected"),
    [
        ("count_words", "....\n3 passed, 1 failed, 2 skipped in 0.1s", (3, 1, 2)),
        ("count_words", "== 5 passed, 2 warnings, 1 error in 9.9s ==", (5, 1, 0)),
        ("count_words", "2 passed, 1 xfailed, 1 xpassed in 0.1s", (2, 1, 1)),
        ("count_words", "3283 cases\n12 declined: x\n3271 passed, 0 failed", (3271, 0, 0)),
        ("count_words", "no tests ran in 0.0s", (0, 0, 0)),
        ("count_doctest", "[doctest] test cases:  12 |  11 passed | 1 failed | 3 skipped", (11, 1, 0)),
        # An executable that runs itself again counts once; sections add up.
        (
            "count_doctest",
            "test cases: 1 | 1 passed | 0 failed | 9 skipped\ntest cases: 2 | 2 passed | 0 failed | 0 skipped",
            (2, 0, 0),
        ),
        (
            "count_doctest",
            "== a\ntest cases: 2 | 2 passed | 0 failed | 0 skipped\n== b\ntest cases: 1 | 0 passed | 1 failed | 0 skipped",
            (2, 1, 0),
        ),
        ("count_doctest", "Segmentation fault", (0, 0, 0)),
    ],
)
def test_counting(stages: ModuleType, counter: str, output: str, expected: tuple[int, int, int]) -> None:
    assert getattr(stages, counter)(output) == stages.Counts(*expected)


@pytest.mark.parametrize(
    ("succeeded", "output", "failed"),
    [
        (True, "4 passed", 0),
        (True, "", 1),  # a runner that found no test
        (False, "", 1),  # it crashed before it counted
        (False, "4 passed", 1),  # it crashed after it counted
        (False, "3 passed, 2 failed", 2),
    ],
)
def test_judging(stages: ModuleType, succeeded: bool, output: str, failed: int) -> None:
    stage = stages.Stage("x", "", "true", count=stages.count_words)
    assert stages.judge(stage, succeeded, "", output)[0].failed == failed


def test_a_stage_that_hangs_is_ended(stages: ModuleType, tmp_path: Path) -> None:
    succeeded, remark = stages.run(stages.Stage("x", "", "sleep 60 & sleep 60", minutes=0.01), tmp_path / "log")
    assert not succeeded
    assert "still running" in remark


def test_selected_stages_bring_what_they_need(stages: ModuleType) -> None:
    names = [s.name for s in stages.select(stages.stages(), ["ops-pocl"], quick=False)]
    assert names == ["packages", "build", "ops-pocl"]
    assert "asan" not in [s.name for s in stages.select(stages.stages(), [], quick=True)]


def test_stages_of_one_core_run_side_by_side(stages: ModuleType) -> None:
    meeting = threading.Barrier(2, timeout=60)

    def execute(stage: object) -> object:
        if stage.cores == 1:
            meeting.wait()  # times out unless the other one runs now
        return stages.Row(stage, stages.Counts(passed=1), 0, "")

    chosen = [
        stages.Stage("a", "", "", cores=2),
        stages.Stage("b", "", "", ("a",)),
        stages.Stage("c", "", "", cores=2),
        stages.Stage("d", "", "", ("a",)),
    ]
    rows = stages.run_all(chosen, 2, execute)
    names = [row.stage.name for row in rows]
    assert (names[0], set(names[1:3]), names[3]) == ("a", {"b", "d"}, "c")


def test_a_stage_whose_need_failed_does_not_run(stages: ModuleType) -> None:
    def execute(stage: object) -> object:
        assert stage.name == "a"
        return stages.Row(stage, stages.Counts(failed=1), 0, "")

    rows = stages.run_all([stages.Stage("a", "", ""), stages.Stage("b", "", "", ("a",))], 2, execute)
    assert [row.counts.failed for row in rows] == [1, 1]
    assert rows[1].remark == "not run: a failed"
