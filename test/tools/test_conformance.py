"""`oncilla conformance`: what it prints, what it makes of a plugin that declines, crashes or hangs, and its exit status."""

import json
from pathlib import Path

import pytest
from conftest import ROOT, Run


@pytest.fixture(scope="session")
def faulty() -> str:
    path = ROOT / "build/release/lib/libtest_faulty_plugin.so"
    if not path.exists():
        pytest.fail(f"{path} is not built: run cmake --preset release")
    return str(path)


def test_the_reference_plugin_agrees_with_itself(oncilla: Run, tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    result = oncilla("conformance", "--backend", "reference", "--op", "softmax,max_pool", "--jobs", "2", "--json", str(file))
    assert result.returncode == 0, result.stdout + result.stderr
    lines = result.stdout.splitlines()
    document = json.loads(file.read_text())
    assert lines[0].split() == ["op", "cases", "runs", "passed", "failed", "declined", "excused", "seconds", "worst"]
    assert lines[-1] == f"{document['together']['runs']} passed, 0 failed"
    assert set(document["ops"]) == {"softmax", "max_pool"}
    assert document["together"]["worst"] == 0
    assert len(document["results"]) == document["together"]["runs"]
    assert {r["result"] for r in document["results"]} == {"passed"}
    # Nothing moves where nobody watches.
    assert "\r" not in result.stdout + result.stderr


def test_level_full_holds_level_ci(oncilla: Run) -> None:
    names = {level: oncilla("conformance", "--list", "--level", level).stdout.splitlines() for level in ("ci", "full")}
    assert len(set(names["full"])) == len(names["full"]) >= 15_000
    assert set(names["ci"]) < set(names["full"])
    assert len(names["ci"]) >= 4_000


def test_the_tables_are_benchmarks(oncilla: Run, tmp_path: Path) -> None:
    file = tmp_path / "ratios.json"
    flags = ("--benchmark", "--op", "softmax,layer_norm", "--dtype", "float32", "--rounds", "3", "--json", str(file))
    result = oncilla("conformance", "--backend", "reference", *flags)
    assert result.returncode == 0, result.stdout + result.stderr
    timed = json.loads(file.read_text())["results"]
    assert len(timed) > 20
    # One plugin against itself: no variant to choose, and about the same time.
    assert all(list(r["variants"]) == [r["choice"]] and r["variants"][r["choice"]] == 1 for r in timed)
    assert 0.2 < sorted(r["reference"] for r in timed)[len(timed) // 2] < 5
    assert result.stdout.splitlines()[0].split() == ["op", "cases", "reference/choice", "fastest/choice", "least"]
    assert f"{len(timed)} timed in 3 rounds, 0 declined" in result.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("flags", "status", "word"), [((), 1, "1 of softmax: [faulty] declined on purpose"), (("--complete",), 1, "FAILED softmax")]
)
def test_declining_is_shown(oncilla: Run, faulty: str, flags: tuple[str, ...], status: int, word: str) -> None:
    arguments = ("conformance", "--backend", faulty, "--case", "softmax/float32 5x7 axis 0", *flags)
    result = oncilla(*arguments, ONCILLA_TEST_DEFECT="decline")
    assert word in result.stdout
    # Without a case that passed there is nothing to be content with.
    assert result.returncode == status


def test_a_crash_costs_one_case(oncilla: Run, faulty: str) -> None:
    result = oncilla("conformance", "--backend", faulty, "--case", "softmax/float32 5x7 axis", ONCILLA_TEST_DEFECT="crash")
    assert result.returncode == 1
    failed = [line for line in result.stdout.splitlines() if line.startswith("FAILED")]
    assert len(failed) == 2
    assert all("ended by signal 11" in line for line in failed)
    assert result.stdout.splitlines()[-1] == "0 passed, 2 failed"


def test_a_list_of_exceptions_excuses_what_fails(oncilla: Run, faulty: str, tmp_path: Path) -> None:
    file = tmp_path / "exceptions.json"
    row = {
        "implementation": "reference",
        "op": "softmax",
        "case": "softmax/float32 5x7 axis 0",
        "variant": "",
        "proof": "the crash",
    }
    arguments = ("conformance", "--backend", faulty, "--case", "softmax/float32 5x7 axis", "--exceptions", str(file))

    def closing(rows: list[dict[str, str]], **environment: str) -> tuple[str, str]:
        file.write_text(json.dumps(rows))
        lines = oncilla(*arguments, **environment).stdout.splitlines()
        return lines[-1], "\n".join(line for line in lines if line.startswith("FAILED"))

    last, failed = closing([row], ONCILLA_TEST_DEFECT="crash")
    assert last == "0 passed, 1 failed, 1 excused"
    assert "5x7 axis 0" not in failed
    assert closing([{**row, "implementation": "another"}], ONCILLA_TEST_DEFECT="crash")[0] == "0 passed, 2 failed"
    # What passes needs no excuse, and a row must name a case.
    last, failed = closing([row])
    assert last.split()[2:] == ["1", "failed"]
    assert "although the list of exceptions excuses it: the crash" in failed
    assert 'no case of softmax is named "nosuch"' in closing([{**row, "case": "nosuch"}])[1]


def test_a_hang_costs_one_case(oncilla: Run, faulty: str) -> None:
    arguments = ("conformance", "--backend", faulty, "--case", "softmax/float32 5x7 axis 0", "--limit", "1")
    result = oncilla(*arguments, ONCILLA_TEST_DEFECT="hang")
    assert result.returncode == 1
    assert "took longer than 1 s and was stopped" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--backend", "nosuch"), "nosuch"),
        (("--backend", "./nosuch.so"), "nosuch.so"),
        (("--op", "nosuch"), "nosuch"),
        (("--dtype", "nosuch"), "nosuch"),
        (("--level", "nosuch"), "nosuch"),
        (("--exceptions", "nosuch.json"), "nosuch.json"),
        (("--backend", "reference", "--device", "7"), "7"),
    ],
)
def test_what_cannot_run_is_named(oncilla: Run, arguments: tuple[str, ...], word: str) -> None:
    result = oncilla("conformance", *arguments)
    assert result.returncode == 2
    assert word in result.stderr
    assert result.stdout == ""
