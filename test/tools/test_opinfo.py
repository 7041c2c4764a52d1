"""scripts/opinfo and scripts/coverage: that they see what is wrong, outlive what ends a process, and say which value they do not know."""

import json
import os
import subprocess
import sys
from types import SimpleNamespace

import pytest
import torch
from conftest import ROOT

sys.path.insert(0, str(ROOT / "scripts"))
import op_coverage as coverage
import opinfo
import opinfo_worker as worker

JOB = {"index": 0, "op": "nothing", "dtype": "float32", "checks": ["forward"], "samples": 1}


def run(*arguments: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [ROOT / "scripts/opinfo", *arguments],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        env={**os.environ, "ONCILLA_VENV": os.environ.get("ONCILLA_VENV", sys.prefix)},
    )


def test_an_op_passes_and_its_result_is_saved(tmp_path):
    saved = tmp_path / "result.json"
    result = run("--op", "add", "--samples", "2", "--jobs", "1", "--json", str(saved))
    assert result.returncode == 0, result.stderr
    (op,) = json.loads(saved.read_text())["ops"]
    assert op["op"] == "add" and op["samples"] == op["passed"] >= 3 and not op["failures"]


def test_wrong_arguments():
    assert "no OpInfo is called nosuch" in run("--op", "nosuch").stderr
    assert "--samples must be at least 1, not 0" in run("--samples", "0").stderr
    assert "--known: " in run("--known", "nosuch.json").stderr


def instead(monkeypatch, code):
    """Let a worker be another program."""
    real = subprocess.Popen
    monkeypatch.setattr(opinfo.subprocess, "Popen", lambda command, **options: real([sys.executable, "-c", code], **options))
    return opinfo.Worker(dict(os.environ))


def test_an_op_that_ends_the_process(monkeypatch):
    outcome = instead(monkeypatch, "import os; os._exit(3)").run(JOB, 30)
    assert outcome["failures"][0]["kind"] == "crash" and "3" in outcome["failures"][0]["message"]


def test_an_op_that_does_not_end(monkeypatch):
    outcome = instead(monkeypatch, "import time; time.sleep(60)").run(JOB, 0.2)
    assert outcome["failures"][0]["kind"] == "timeout"


def case(dtype=torch.float32):
    made = worker.Case.__new__(worker.Case)
    made.op, made.dtype, made.outcome = SimpleNamespace(name="x", decorators=()), dtype, worker.Outcome("x", "float32")
    made.yardstick, made.is_random = lambda check: ([], []), lambda: False
    return made


@pytest.mark.parametrize(
    "got",
    [
        torch.tensor([1.0, 2.001]),
        torch.tensor([1.0, torch.nan]),
        torch.tensor([1.0, 2.0], dtype=torch.float64),
        torch.tensor([[1.0, 2.0]]),
        [torch.tensor([1.0, 2.0])],
    ],
    ids=["value", "nan", "dtype", "shape", "structure"],
)
def test_a_wrong_result_is_seen(got):
    wanted = torch.tensor([1.0, 2.0])
    case().compare(wanted.clone(), wanted, "forward")
    with pytest.raises(worker.WrongResultError):
        case().compare(got, wanted, "forward")


def test_a_result_beyond_the_tolerance_must_be_as_near_as_the_cpu():
    exact, cpu = torch.tensor([1.0, 2.0], dtype=torch.float64), torch.tensor([1.0, 2.01])
    assert worker.close_to_exact(torch.tensor([1.0, 1.985]), [cpu], exact)
    assert not worker.close_to_exact(torch.tensor([1.0, 1.97]), [cpu], exact)
    assert not worker.close_to_exact(torch.tensor([1.0, torch.nan]), [cpu], exact)


def test_a_sample_on_the_cpu_is_copied():
    tensor = torch.zeros(2, 6)[:, ::2]
    copy = worker.on_cpu(tensor)
    copy.fill_(1)
    assert tensor.sum() == 0 and copy.stride() == tensor.stride()


TABLE = {
    "files": {"tape": ["a.cpp"]},
    "overloads": {"kernel": ["second"]},
    "left": [{"way": "host", "reason": "because", "ops": ["third*"]}],
}


def test_coverage_sorts_by_the_table():
    rows = coverage.classify({"first": "a.cpp", "second.out": "a.cpp", "third_one": None}, TABLE)
    assert rows == {"first": ("tape", "a.cpp"), "second.out": ("kernel", "a.cpp"), "third_one": ("host", "because")}


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ({"first": "a.cpp", "second": "a.cpp", "third": None, "fourth": None}, "fourth is not registered"),
        ({"first": "b.cpp", "second": "a.cpp", "third": None}, "first is registered by b.cpp"),
        ({"first": "a.cpp", "second": "a.cpp"}, "no op is left"),
        ({"first": "a.cpp", "third": None}, "names second"),
        ({"second": "b.cpp", "third": None}, "a.cpp, which registers nothing"),
    ],
)
def test_coverage_says_where_table_and_dispatcher_differ(found, words):
    with pytest.raises(coverage.InconsistentError, match=words):
        coverage.classify(found, TABLE)


FAILING = {"failing": [{"reason": "because", "ops": ["sparse.*", "one"], "dtypes": ["float16", "float32"]}]}


def results(*failing):
    return {"ops": [{"op": op, "dtype": dtype, "failures": ["x"]} for op, dtype in failing]}


def test_coverage_gives_the_reason_of_what_fails():
    rows = [("sparse.mm", "float32"), ("one", "float16")]
    passing = {"op": "one", "dtype": "float32", "failures": []}
    assert coverage.explain({"ops": [*results(*rows)["ops"], passing]}, FAILING) == dict.fromkeys(rows, "because")


@pytest.mark.parametrize(
    ("failing", "words"),
    [
        ([("sparse.mm", "float32"), ("one", "float16"), ("two", "float32")], "two fails in float32"),
        ([("sparse.mm", "float32"), ("one", "float16"), ("one", "float64")], "one fails in float64"),
        ([("sparse.mm", "float32"), ("sparse.mm", "float16")], "nothing of one fails"),
        ([("sparse.mm", "float32"), ("one", "float32")], "nothing of float16 fails"),
    ],
)
def test_coverage_says_which_reason_is_missing_or_no_longer_needed(failing, words):
    with pytest.raises(coverage.InconsistentError, match=words):
        coverage.explain(results(*failing), FAILING)
