"""The comparison harness: what it refuses to read, its statistics on numbers with a known answer, and that nobody who is wrong is timed."""

import argparse
import html.parser
import importlib.machinery
import importlib.util
import json
import math
import os
import random
import re
import sys
import time
from pathlib import Path

import pytest
import torch
from conftest import ROOT, Run

sys.path.insert(0, str(ROOT / "bench"))
from oncilla_bench import cli, compare, networks, page, results, roofline, runner, statistics
from oncilla_bench.cases import CaseError, read_group, read_groups, select
from oncilla_bench.contestants import BASELINE, Contestant, DeclinedError, all_contestants
from oncilla_bench.contestants.eager import CPU, OnCPU
from oncilla_bench.results import CaseResult, Result

TINY = {
    "gemm": "goal mean=1.0 worst=0.6\nmatmul m=8 n=8 k=8 quick\n",
    "pointwise": "unary op=relu shape=64  # a note & more\n",
    "train": "train net=mlp batch=2\n",
}


@pytest.fixture
def tiny(tmp_path):
    folder = tmp_path / "cases"
    folder.mkdir()
    for name, text in TINY.items():
        (folder / f"{name}.txt").write_text(text)
    return folder


# --- Cases


def test_every_case_of_the_tables_is_understood():
    groups = read_groups(ROOT / "bench/cases")
    names = [c.name for g in groups for c in g.cases]
    assert len(names) > 600 and len(set(names)) == len(names)
    assert all(any(c.quick for c in g.cases) for g in groups), "a group without a quick case"
    for kind in (
        "matmul",
        "conv",
        "batch_norm",
        "softmax",
        "attention",
        "reduce",
        "chain",
        "embedding",
        "optimizer",
        "train",
        "infer",
    ):
        assert any(n.startswith(f"{kind} ") for n in names), kind


def test_a_case_has_its_values_note_and_one_name(tmp_path):
    file = tmp_path / "gemm.txt"
    file.write_text("# comment\n\ngoal mean=1.0 worst=0.6\nmatmul k=3 m=1 n=2 b=t quick  # why\n")
    group = read_group(file)
    (case,) = group.cases
    assert (group.name, group.mean, group.worst) == ("gemm", 1.0, 0.6)
    assert case.name == "matmul m=1 n=2 k=3 b=t"  # in the kind's order, defaults left out
    assert (case.values.k, case.values.batch, case.quick, case.note) == (3, 1, True, "why")


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("frobnicate m=1", ('"frobnicate"', "matmul")),
        ("matmul m=1 n=2", ("needs k=",)),
        ("matmul m=1 n=2 k=3 z=4", ('"z"', "batch")),
        ("matmul m=1 n=2 k=0", ('k="0"', "at least 1")),
        ("matmul m=1 n=2 k=-3", ('k="-3"',)),
        ("matmul m=1 n=2 k=3 k=3", ("k is named twice",)),
        ("matmul m=1 n=2 k=3 a=x", ('a="x"', "n, t")),
        ("matmul m=1 n=2 k=3 dtype=f8", ('dtype="f8"', "bf16")),
        ("matmul m=1 n=2 3", ('"3"', "name=value")),
        ("matmul quick m=1 n=2 k=3", ('"quick"', "name=value")),
        ("softmax shape=4x", ('shape="4x"',)),
        ("softmax shape=4x5\nsoftmax log=no shape=4x5", ("the same as line 1",)),
        ("goal mean=fast", ('mean="fast"',)),
        ("goal least=1", ('"least"',)),
        ("goal mean=1\ngoal mean=1", ("a second goal",)),
    ],
)
def test_a_wrong_line_is_named_by_file_and_number(tmp_path, line, words):
    file = tmp_path / "group.txt"
    file.write_text(line + "\n")
    with pytest.raises(CaseError) as error:
        read_group(file)
    assert str(error.value).startswith(f"{file}:{line.count(chr(10)) + 1}: ")
    for word in words:
        assert word in str(error.value)


def test_cases_are_selected_by_group_pattern_and_mark(tiny):
    groups = read_groups(tiny)

    def names(*arguments):
        return [c.name for g in select(groups, *arguments) for c in g.cases]

    assert names([], None, True) == ["matmul m=8 n=8 k=8"]
    assert names(["train", "gemm"], None, False) == ["matmul m=8 n=8 k=8", "train net=mlp batch=2"]
    assert names([], "a note", False) == ["unary op=relu shape=64"]
    for bad, word in ((["nosuch"], None), "nosuch"), (([], "("), "regular expression"):
        with pytest.raises(CaseError, match=word):
            select(groups, *bad, False)


def test_the_convolutions_are_those_of_the_networks():
    loader = importlib.machinery.SourceFileLoader("make_conv_cases", str(ROOT / "bench/make_conv_cases"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader(loader.name, loader))
    loader.exec_module(module)
    assert module.table() == (ROOT / "bench/cases/conv.txt").read_text(), "run bench/make_conv_cases"


@pytest.mark.parametrize("name", ["mlp", "mnist_cnn", "resnet18_32", "resnet50", "vgg16", "mobilenet_v3", "densenet121"])
def test_a_classifier_has_the_classes_of_its_batch(name):
    model, (_, classes) = networks.make(name, 64 if name == "mlp" else 8)
    *_, last = (m for m in model.modules() if isinstance(m, torch.nn.Linear))
    assert classes.max() < last.out_features in (10, 1000)


# --- Statistics


def test_interval_of_the_median_is_the_sign_tests():
    # Of 20 values the 6th and the 15th: 1 - 2 P(Binomial(20, 1/2) <= 5) = 0.959, and the 7th and 14th would have 0.885.
    found = statistics.estimate([float(i) for i in range(1, 21)])
    assert (found.median, found.low, found.high) == (10.5, 6.0, 15.0)
    assert found.width == pytest.approx(math.sqrt(15 / 6) - 1)
    assert statistics.estimate([1.0, 1.1, 1.2, 1.3, 1.4]).width == math.inf  # five have no interval at 95 %
    assert statistics.estimate([1.0, 1.1, 1.2, 1.3, 1.4, 1.5]).width < math.inf


def test_the_interval_covers_the_true_ratio_where_times_drift_together():
    rng = random.Random(1)
    covered = 0
    for _ in range(200):
        weather = [math.exp(rng.gauss(0, 0.5)) for _ in range(25)]  # of the machine, the same for both sides
        base = [3.0 * w * math.exp(rng.gauss(0, 0.02)) for w in weather]
        other = [2.0 * w * math.exp(rng.gauss(0, 0.02)) for w in weather]
        found = statistics.estimate(statistics.paired_ratios(base, other))
        assert found.width < 0.03
        covered += found.low <= 1.5 <= found.high
    assert covered >= 184  # 190 expected; four standard deviations below would be 178


def test_stopping_early_costs_little_of_the_coverage():
    rng = random.Random(3)
    covered = 0
    for _ in range(100):
        ratios = []
        while len(ratios) < 60:
            ratios.append(math.exp(rng.gauss(0, 0.03)))
            if len(ratios) in runner.LOOKS and statistics.estimate(ratios).width <= 0.02:
                break
        found = statistics.estimate(ratios)
        covered += found.low <= 1 <= found.high
    assert covered >= 90


def test_drift_is_named_only_beyond_chance():
    rng = random.Random(2)
    steady = [1 + rng.gauss(0, 0.01) for _ in range(40)]
    assert statistics.drift(steady) == 0
    assert statistics.drift(steady[:20] + [v * 1.1 for v in steady[20:]]) == pytest.approx(0.1, abs=0.02)
    assert statistics.drift([1.0, 2.0, 3.0]) == 0


def test_geometric_mean():
    assert statistics.geometric_mean([0.5, 2.0, 4.0, 0.25]) == pytest.approx(1)
    assert math.isnan(statistics.geometric_mean([]))


# --- Runs


class Imagined(Contestant):
    """PyTorch's results, changed."""

    name = ""  # not one of the command's

    def __init__(self, change=lambda out: out, wait=0.0):
        self.change, self.wait = change, wait

    def missing(self):
        return ""

    def versions(self):
        return {}

    def prepare(self, case, workload):
        prepared = OnCPU(workload)
        call, fetch = prepared.call, prepared.fetch

        def slow():
            time.sleep(self.wait)
            return call()

        prepared.call, prepared.fetch = slow, lambda result: self.change(fetch(result))
        return prepared


def refuse(*_):
    raise DeclinedError("not today")


def fail(*_):
    raise RuntimeError("out of coffee")


@pytest.fixture
def case(tiny):
    return read_group(tiny / "gemm.txt").cases[0]


def test_who_is_wrong_or_fails_is_not_timed(case):
    def spoilt(out):
        out[0][3, 5] += 0.01
        return out

    def with_nan(out):
        out[0][0, 0] = math.nan
        return out

    others = {
        "spoilt": spoilt,
        "nan": with_nan,
        "fails": fail,
        "declines": refuse,
        "short": lambda out: [out[0][:4]],
        "good": lambda out: out,
    }
    outcome = runner.run_case(
        case, {BASELINE: CPU()} | {k: Imagined(f) for k, f in others.items()}, runner.Limits(0.5, 0.05, 0.001)
    )
    status = {k: r.status for k, r in outcome.results.items()}
    assert status == {
        BASELINE: "ok",
        "spoilt": "wrong",
        "nan": "wrong",
        "fails": "failed",
        "declines": "declined",
        "short": "wrong",
        "good": "ok",
    }
    assert "out of coffee" in outcome.results["fails"].reason and "more than" in outcome.results["spoilt"].reason
    for name, result in outcome.results.items():
        assert bool(result.times) == bool(result.ratio) == (name in (BASELINE, "good"))
    good = outcome.results["good"]
    assert len(good.times) == outcome.rounds >= 6 and good.low <= good.ratio <= good.high and good.first_seconds > 0


def test_a_slow_contestant_is_slow(case):
    contestants = {BASELINE: Imagined(wait=0.002), "slow": Imagined(wait=0.008)}
    outcome = runner.run_case(case, contestants, runner.Limits(0.5, 0.05, 0.001))
    assert 0.1 < outcome.results["slow"].ratio < 0.6  # 0.25 on a quiet machine


def test_eigen_multiplies(tmp_path):
    eigen = all_contestants()["eigen"]
    if eigen.missing():
        pytest.skip(eigen.missing())
    file = tmp_path / "gemm.txt"
    sizes = "m=5 n=7 k=3"
    file.write_text(
        "\n".join(f"matmul {sizes} {more}" for more in ("a=t", "b=t", "a=t b=t", "dtype=f64", "batch=4 b=t", "dtype=bf16"))
    )
    outcomes = [
        runner.run_case(c, {BASELINE: CPU(), "eigen": eigen}, runner.Limits(0.5, 0.05, 0.001)) for c in read_group(file).cases
    ]
    assert [o.results["eigen"].status for o in outcomes] == ["ok"] * 5 + ["declined"]
    assert re.fullmatch(r"\d+\.\d+\.\d+", eigen.versions()["eigen"])


def test_a_case_that_cannot_be_built_fails_alone(tmp_path):
    file = tmp_path / "conv.txt"
    file.write_text("conv dir=fwd n=1 c=3 h=4 k=2 r=9\n")
    outcome = runner.run_case(read_group(file).cases[0], {BASELINE: CPU()}, runner.Limits())
    assert outcome.results[BASELINE].status == "failed" and "taps" in outcome.results[BASELINE].reason


class Texts(html.parser.HTMLParser):
    """The text of a page; its elements must close in the order in which they opened."""

    VOID = ("meta", "input", "br")

    def __init__(self):
        super().__init__()
        self.open, self.texts, self.links = [], [], []

    def handle_starttag(self, tag, attrs):
        self.links += [v for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, f"</{tag}> closes nothing"

    def handle_data(self, data):
        self.texts.append(data)


def parsed(text):
    page = Texts()
    page.feed(text)
    page.close()
    assert not page.open, page.open
    assert not page.links, "the page needs other files"
    return page


def test_three_cases_end_to_end(oncilla: Run, tiny, tmp_path):
    saved, shown = tmp_path / "run.json", tmp_path / "run.html"
    result = oncilla(
        *("bench", "--cases", str(tiny), "--threads", "1", "--max-seconds", "0.1", "--precision", "0.5", "--contestant", "ocl"),
        *("--json", str(saved), "--html", str(shown)),
        PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    )
    assert result.returncode == 0, result.stderr + result.stdout
    run = results.load(saved)
    assert run.complete and [c.name for c in run.cases] == ["matmul m=8 n=8 k=8", "unary op=relu shape=64", "train net=mlp batch=2"]
    assert run.machine["threads"] == 1 and run.roofline["fma_gflops"] > 1 and run.roofline["triad_gbs"] > 0.1
    for case in run.cases:
        assert {n: r.status for n, r in case.results.items()} == {BASELINE: "ok", "ocl": "ok"}, case
        ocl = case.results["ocl"]
        assert case.rounds >= 6 and ocl.low <= ocl.ratio <= ocl.high and ocl.first_seconds > 0 and ocl.peak_bytes >= 0
        assert ocl.error <= case.tolerance and not ocl.reason  # nothing ran on the CPU
        assert ocl.kernels and not case.results[BASELINE].kernels
        # Calls that were traced in a disturbed moment may be slower than those that were timed, but not by much.
        assert 0 < sum(ocl.kernels.values()) < 20 * ocl.seconds, ocl.kernels
        assert case.name in result.stdout
    assert "geometric mean" in result.stdout
    text = " ".join(parsed(shown.read_text()).texts)
    drawn, table = text.split("All figures")
    for case in run.cases:
        assert case.name in drawn and table.count(case.name) == 2, case.name  # a row for each contestant
    assert "a note & more" in text


def settings(**changes):
    words = {
        "cases": None,
        "group": [],
        "case": None,
        "quick": False,
        "contestant": ["ocl"],
        "variant": [],
        "check": False,
        "command": "oncilla bench",
        "list": False,
        "quiet": True,
        "html": None,
        "history": [],
    }
    return argparse.Namespace(
        **{**words, "threads": 1, "precision": 0.5, "max_seconds": 0.05, "cold": False, "json": None, **changes}
    )


def test_an_interruption_keeps_what_is_there(tiny, tmp_path, monkeypatch, capsys):
    real, calls = runner.run_case, []

    def interrupted(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return real(*arguments)

    monkeypatch.setattr(runner, "run_case", interrupted)
    monkeypatch.setattr(roofline, "measure", lambda _: {"fma_gflops": 1.0, "triad_gbs": 1.0, "fma_by": "a guess"})
    threads = torch.get_num_threads()
    try:
        assert cli.run(settings(cases=tiny, json=tmp_path / "run.json", html=tmp_path / "run.html")) == 130
    finally:
        torch.set_num_threads(threads)
    run = results.load(tmp_path / "run.json")
    assert [c.group for c in run.cases] == ["gemm"] and not run.complete
    assert "interrupted" in capsys.readouterr().out and "interrupted" in (tmp_path / "run.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--threads", "0"), ("--threads 0", "cores")),
        (("--max-seconds", "-1"), ("--max-seconds -1",)),
        (("--json", "/nonexistent/x.json"), ("no folder /nonexistent",)),
        (("--frobnicate",), ("--frobnicate",)),
        (("compare", "a.json"), ("B.json",)),
        (("compare", "a.json", "b.json"), ("a.json",)),
        (("page", "a.json", "--html", "x"), ("a.json",)),
        (("page", "a.json"), ("--html or --markdown",)),
    ],
)
def test_wrong_command_lines(arguments, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    try:
        status = cli.main(arguments)
    except SystemExit as end:
        status = end.code
    assert status == 2
    said = capsys.readouterr().err
    for word in words:
        assert word in said


def test_a_variant_is_forced_where_there_is_one(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(roofline, "measure", lambda _: {"fma_gflops": 1.0, "triad_gbs": 1.0, "fma_by": "a guess"})
    choices = ["matmul=direct", "matmul=nosuch", "softmax=nosuch"]
    threads = torch.get_num_threads()
    try:
        assert cli.run(settings(cases=tiny, group=["gemm"], variant=choices, json=tmp_path / "run.json")) == 0
        assert cli.run(settings(cases=tiny, variant=["nosuch=direct"])) == 2
        assert cli.run(settings(cases=tiny, variant=["matmul"])) == 2
    finally:
        torch.set_num_threads(threads)
    (case,) = results.load(tmp_path / "run.json").cases
    found = {name: (r.status, r.reason) for name, r in case.results.items() if name.startswith("ocl:")}
    assert found["ocl:matmul=direct"] == ("ok", "")
    assert found["ocl:matmul=nosuch"][0] == "declined" and "no variant 'nosuch'" in found["ocl:matmul=nosuch"][1]
    assert found["ocl:softmax=nosuch"] == ("declined", "the case has no softmax")
    said = capsys.readouterr().err
    assert "[nosuch] is no op" in said and '"matmul" is not OP=NAME' in said


def test_check_compares_and_times_nothing(tiny, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(roofline, "measure", lambda _: {"fma_gflops": 1.0, "triad_gbs": 1.0, "fma_by": "a guess"})
    threads = torch.get_num_threads()
    try:
        assert cli.run(settings(cases=tiny, group=["gemm", "pointwise"], check=True, json=tmp_path / "run.json")) == 0
    finally:
        torch.set_num_threads(threads)
    for case in results.load(tmp_path / "run.json").cases:
        assert case.rounds == 0 and case.results["ocl"].error <= case.tolerance and not case.results["ocl"].times
    assert "4 ok" in capsys.readouterr().out


def test_help_is_the_harness_s(oncilla: Run):
    result = oncilla("bench", "--help", PATH=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    assert result.returncode == 0, result.stderr
    for word in ("usage: oncilla bench", "--quick", "--contestant", "compare A.json B.json"):
        assert word in result.stdout


# --- Saved runs


def imagined_run(seed, slower=(), machine=1.0, commit="aaaa"):
    """Forty cases at a ratio of 1.2 with 3 % of noise in each round; those in `slower` at that divided by 1.2."""
    rng = random.Random(seed)
    run = results.Run("2026-01-01T00:00:00+00:00", BASELINE, {"cpu": "x", "threads": 2, "cores": 2, "system": "y"}, {BASELINE: {"torch": "2"}},
                      commit, {"precision": 0.02, "max_seconds": 1.0}, {"fma_gflops": 100.0, "triad_gbs": 10.0, "fma_by": "z"}, {"gemm": {"mean": 1.0}}, complete=True)  # fmt: skip
    for i in range(40):
        base = [machine * 0.012 * math.exp(rng.gauss(0, 0.03)) for _ in range(20)]
        ocl = [machine * 0.010 * (1.2 if i in slower else 1.0) * math.exp(rng.gauss(0, 0.03)) for _ in range(20)]
        found = statistics.estimate(statistics.paired_ratios(base, ocl))
        ours = Result("ok", times=ocl, seconds=0.01, ratio=found.median, low=found.low, high=found.high)
        theirs = Result("ok", times=base, seconds=0.012, ratio=1.0, low=1.0, high=1.0)
        run.cases.append(CaseResult(f"case {i:02}", "gemm", flops=1e9, bytes=1e7, results={BASELINE: theirs, "ocl": ours}))
    return run


def save(path, run):
    results.save(run, path)
    return str(path)


def test_compare_names_the_seeded_regression_alone(tmp_path, capsys):
    a = save(tmp_path / "a.json", imagined_run(1))
    b = save(tmp_path / "b.json", imagined_run(2, slower=(7,), machine=3.0))  # a slower machine is no regression
    assert compare.main([a, b]) == 1
    out = capsys.readouterr().out
    assert "1 SLOWER" in out and "case 07" in out and out.count("gemm: case") == 1
    assert compare.main([b, a]) == 0
    assert "1 faster" in capsys.readouterr().out


def test_compare_of_noise_finds_nothing(tmp_path, capsys):
    a = save(tmp_path / "a.json", imagined_run(1))
    for seed in range(3, 8):
        # Without a threshold only the tests stand between noise and a regression.
        assert compare.main(["--threshold", "0", a, save(tmp_path / "b.json", imagined_run(seed))]) == 0
    assert "case" not in capsys.readouterr().out.replace("cases in both", "")


def test_compare_names_what_became_wrong(tmp_path, capsys):
    broken = imagined_run(1)
    broken.cases[3].results["ocl"] = Result("wrong", "differs by 3")
    a, b = save(tmp_path / "a.json", imagined_run(1)), save(tmp_path / "b.json", broken)
    assert compare.main([a, b]) == 1
    assert "case 03: ocl is wrong now: differs by 3" in capsys.readouterr().out


def test_files_that_are_no_run(tmp_path):
    for text, word in (
        ("{", "Expecting"),
        ("[]", "schema list"),
        ('{"schema": 99}', "schema 99"),
        ('{"schema": 1, "cases": [{}]}', "results"),
    ):
        file = tmp_path / "x.json"
        file.write_text(text)
        with pytest.raises(results.ResultError, match=word) as error:
            results.load(file)
        assert str(file) in str(error.value)


def test_a_run_is_saved_as_it_is(tmp_path):
    run = imagined_run(1)
    run.cases[0].results["ocl"].high = math.inf  # JSON has none
    loaded = results.load(Path(save(tmp_path / "a.json", run)))
    assert loaded.cases[0].results["ocl"].high is None
    assert loaded.cases[5].results["ocl"].ratio == pytest.approx(run.cases[5].results["ocl"].ratio, rel=1e-5)
    assert json.loads((tmp_path / "a.json").read_text())["schema"] == results.SCHEMA


def test_the_page_has_every_case_and_the_history_of_every_run():
    runs = [imagined_run(1, commit="cafe01"), imagined_run(2, slower=(7,), commit="cafe02")]
    text = page.render(runs)
    words = " ".join(parsed(text).texts)
    for run in runs:
        assert run.commit in words
    drawn, table = words.split("All figures")
    for case in runs[-1].cases:
        assert case.name in drawn and table.count(case.name) == 2, case.name
    assert "History" in words and "Roofline" in words and text.count("<circle") >= 40


def test_the_text_page_names_what_is_slow_with_its_reason(tmp_path, capsys):
    run = imagined_run(1, slower=(7, 9))
    for i in (7, 9):  # 1.2 divided by 1.2 is 1: make them slow beyond their intervals
        for field in ("ratio", "low", "high"):
            setattr(run.cases[i].results["ocl"], field, getattr(run.cases[i].results["ocl"], field) / 2)
    (tmp_path / "reasons.toml").write_text('[[reason]]\ncase = "gemm: case 07"\ntext = "packs twice"\n')
    run.cases[7].results["ocl"].kernels = {"pack": 0.004, "multiply": 0.005}
    saved, written = save(tmp_path / "a.json", run), tmp_path / "performance.md"
    assert cli.main(["page", saved, "--markdown", str(written), "--reasons", str(tmp_path / "reasons.toml")]) == 0
    slow, groups = written.read_text().split("## Groups")
    assert "2 of 40 cases" in slow and slow.count("`case") == 2
    assert [line.split("|")[-2].strip() for line in slow.splitlines() if "`case" in line] in (
        ["packs twice; pack 40%, multiply 50%, 10% outside of kernels", "not profiled yet"],
        ["not profiled yet", "packs twice; pack 40%, multiply 50%, 10% outside of kernels"],
    )
    assert "| gemm | " in groups and "(1)" in groups
    (tmp_path / "reasons.toml").write_text('[[reason]]\ncase = "("\ntext = "x"\n')
    assert cli.main(["page", saved, "--markdown", str(written), "--reasons", str(tmp_path / "reasons.toml")]) == 2
    assert "reasons.toml" in capsys.readouterr().err
