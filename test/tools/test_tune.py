"""`oncilla tune`: what it writes is right, a run goes on where another ended, and what is wrong on a device does not win."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, Run

OP = ("--op", "matmul")


def read(file: Path) -> dict:
    return json.loads(file.read_text())


def groups(entries: list[dict]) -> set[str]:
    return {f"{e['op']} {e['dtype']} {e['shape_class']}" for e in entries}


@pytest.fixture(scope="module")
def tuned(tmp_path_factory: pytest.TempPathFactory, tool: Path) -> tuple[Path, str]:
    """Give the file of a short run, and what the run printed."""
    file = tmp_path_factory.mktemp("tune") / "folder" / "tuning.json"
    done = subprocess.run(
        [tool, "tune", *OP, "--budget", "0.5", "--file", str(file), "--scratch"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return file, done.stdout


def test_rows(tuned: tuple[Path, str]):
    file, output = tuned
    found = read(file)
    assert found["format"] == 1 and found["quarantine"] == []
    assert groups(found["rows"]) <= groups(found["tuned"])
    assert f"{len(found['rows'])} rows in {file}" in output
    # From the rows for any device, which are for GPUs, something is faster on a CPU.
    row = found["rows"][0]
    assert row["variant"] != "local" and row["speed"] > 1 and row["basis"] == "measured"
    assert row["device"].keys() == {"platform", "name"}
    assert [p.name for p in file.parent.iterdir()] == ["tuning.json"]


def test_goes_on(oncilla: Run, tuned: tuple[Path, str], tmp_path: Path):
    known = read(tuned[0])
    file = tmp_path / "tuning.json"
    file.write_text(json.dumps({**known, "tuned": known["tuned"][1:], "rows": known["rows"][1:]}))
    done = oncilla("tune", *OP, "--budget", "0.1", "--file", str(file))
    assert done.returncode == 0
    assert done.stdout.count("tuned before") == len(known["tuned"]) - 1
    found = read(file)
    assert groups(found["tuned"]) >= groups(known["tuned"])
    assert all(row in found["rows"] for row in known["rows"][1:])


def test_time_that_is_over(oncilla: Run, tmp_path: Path):
    file = tmp_path / "tuning.json"
    done = oncilla("tune", *OP, "--budget", "0.01", "--file", str(file))
    assert done.returncode == 0 and "not begun, the time is over: the same command goes on with it" in done.stdout


def test_import(oncilla: Run, tuned: tuple[Path, str], tmp_path: Path):
    known = read(tuned[0])
    row = known["rows"][0]
    other = {**row, "device": {"name": "another"}}
    unfit = {**row, "variant": "local", "parameters": {}}  # which is the choice without a row
    for rows, taken, said in [
        ([row], 1, "1 of 1 rows taken over"),
        ([other], 0, "another device"),
        ([unfit], 0, "not faster here"),
    ]:
        shared, file = tmp_path / "shared.json", tmp_path / "own.json"
        shared.write_text(json.dumps({"format": 1, "rows": rows}))
        done = oncilla("tune", "--import", str(shared), "--file", str(file), "--scratch", *OP)
        assert said in done.stdout, done.stdout + done.stderr
        assert done.returncode == (0 if taken else 1)
        assert len(read(file)["rows"] if file.exists() else []) == taken
        file.unlink(missing_ok=True)


def test_check(oncilla: Run, tuned: tuple[Path, str]):
    done = oncilla("tune", "--check", "--file", str(tuned[0]), *OP)
    assert done.returncode == 0, done.stderr
    assert "matmul float32, large" in done.stdout and "together" in done.stdout


def test_rows_are_used(oncilla: Run, tmp_path: Path):
    """A run that reads the file does as its rows say."""
    file = tmp_path / "tuning.json"
    file.write_text(json.dumps({"format": 1, "rows": [{"op": "matmul", "variant": "local"}]}))
    arguments = ("conformance", "--op", "matmul", "--benchmark", "--rounds", "1", "--smallest", "1", "--dtype", "float32", "--json")
    for variable in (str(file), ""):
        done = oncilla(*arguments, str(tmp_path / "out.json"), ONCILLA_TUNING=variable)
        assert done.returncode == 0, done.stderr
        found = {result["choice"] for result in read(tmp_path / "out.json")["results"]}
        assert (found == {"local"}) is (variable != ""), found


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"format": 2, "rows": []}'])
def test_another_file_is_left_as_it_is(oncilla: Run, tmp_path: Path, text: str):
    file = tmp_path / "tuning.json"
    file.write_text(text)
    done = oncilla("tune", *OP, "--budget", "0.1", "--file", str(file))
    assert done.returncode == 1 and "is no tuning file of format 1" in done.stderr
    assert file.read_text() == text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--op", "softmax"), "softmax"),
        (("--dtype", "int8"), "int8"),
        (("--budget", "-1"), "budget"),
        (("--import", "/nonexistent.json"), "/nonexistent.json does not exist"),
        (("--check", "--file", "/nonexistent.json"), "/nonexistent.json does not exist"),
        (("--device", "77"), "there is no device 77"),
    ],
)
def test_wrong_arguments(oncilla: Run, tmp_path: Path, arguments: tuple[str, ...], said: str):
    done = oncilla("tune", *arguments, XDG_CONFIG_HOME=str(tmp_path))
    assert done.returncode != 0 and said in done.stderr
    assert not any(tmp_path.iterdir())


@pytest.fixture(scope="module")
def layer() -> str:
    path = Path(os.environ.get("ONCILLA_TEST_LAYER", ROOT / "build/release/lib/libtest_faulty_layer.so"))
    if not path.exists():
        pytest.fail(f"{path} is not built: run cmake --preset release")
    return str(path)


@pytest.mark.parametrize(
    ("fault", "variant", "said"),
    [
        ("barrier", "local", r"local .* is WRONG here: .*not what the choice gives"),
        ("launch_crashes", "local", r"local .* is WRONG here: a process was ended by signal 11"),
        ("flip", "panel", r"panel .* is WRONG here"),  # what the shipped rows choose
    ],
)
def test_what_is_wrong_does_not_win(oncilla: Run, layer: str, tmp_path: Path, fault: str, variant: str, said: str):
    """With a driver that breaks the kernel of one variant."""
    file = tmp_path / "tuning.json"
    done = oncilla(
        "tune",
        *OP,
        "--budget",
        "0.6",
        "--file",
        str(file),
        OPENCL_LAYERS=layer,
        ONCILLA_TEST_FAULT=fault,
        ONCILLA_TEST_KERNEL=f"#define {variant.upper()} 1",
        ONCILLA_CACHE_DIR=str(tmp_path / "cache"),
    )
    assert done.returncode == 0 and re.search(said, done.stdout), done.stdout + done.stderr
    found = read(file)
    assert found["quarantine"] and {entry["variant"] for entry in found["quarantine"]} == {variant}
    assert all(row["variant"] != variant for row in found["rows"])
    if variant == "panel":  # of the plans that it served another variant does now
        assert "matmul float32 small" in groups(found["rows"])
        entry = next(e for e in found["quarantine"] if e["shape_class"] == "small")
        assert entry["reproducer"].startswith("oncilla conformance --op matmul --variant panel")
    again = oncilla("tune", *OP, "--budget", "0.1", "--file", str(file))
    assert again.returncode == 0
    assert read(file)["quarantine"] == found["quarantine"]
