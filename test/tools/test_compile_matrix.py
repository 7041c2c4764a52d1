"""scripts/compile-matrix: wrong arguments, what it reports of a sound op, and that it names a kernel with an error, one that spills
and a launch that does not fit."""

import importlib
import json
import os
import subprocess
from pathlib import Path
from types import ModuleType

import pytest
from conftest import ROOT, program

ENTRY = "  BIND(I, counts);\n  const I c = (I)get_global_id(0);\n  if (c > chunks) return;\n"  # of compact_count
# More numbers in flight than any of the devices has registers for: variables, since an array may be left in memory.
MANY = range(40)
SPILLS = ENTRY + "\n".join(
    [
        *(f"float8 v{i} = convert_float8(vload8({i} * chunk + c, mask));" for i in MANY),
        "for (I k = 0; k < chunk; ++k) {",
        *(f"v{i} = v{i} * v{(i + 7) % 40} + v{(i + 3) % 40};" for i in MANY),
        "}",
        f"const float8 sum = {' + '.join(f'v{i}' for i in MANY)};",
        "const float4 few = sum.lo + sum.hi;",
        "if (few.x + few.y + few.z + few.w == 3) counts[1] = 1;\n",
    ]
)


def matrix(tmp_path: Path, *arguments: str) -> subprocess.CompletedProcess:
    build = program("ONCILLA_TEST_OPS", ROOT / "build/release/bin/test_ops").parent.parent
    command = [ROOT / "scripts/compile-matrix", "--build", build, "--op", "compact", "--jobs", "1", *arguments]
    environment = {**os.environ, "ONCILLA_MATRIX_CACHE": str(tmp_path / "cache")}
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=600, check=False, stdin=subprocess.DEVNULL
    )


def kernels(tmp_path: Path, find: str, replace: str) -> Path:
    text = (ROOT / "kernels/compact.cl").read_text()
    assert find in text
    (tmp_path / "kernels").mkdir()
    (tmp_path / "kernels/compact.cl").write_text(text.replace(find, replace, 1))
    return tmp_path / "kernels"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--target", "gfx9999"), ("gfx9999", "gfx1030", "sm_75", "dg2", "spirv")),
        (("--op", "nosuch"), ("nosuch",)),
        (("--write", "--target", "dg2"), ("--write",)),
    ],
)
def test_wrong_arguments(tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]) -> None:
    result = matrix(tmp_path, *arguments)
    assert result.returncode == 2
    for word in words:
        assert word in result.stderr


def test_list_names_every_target() -> None:
    result = subprocess.run([ROOT / "scripts/compile-matrix", "--list"], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0
    names = [line.split()[0] for line in result.stdout.splitlines()]
    assert len(names) == 13
    assert names[0] == "gen9"


def test_a_sound_op(tmp_path: Path) -> None:
    result = matrix(
        tmp_path,
        "--target",
        "gfx1030",
        "--target",
        "sm_75",
        "--target",
        "dg2",
        "--target",
        "spirv",
        "--json",
        str(tmp_path / "out"),
    )
    assert result.returncode == 0, result.stdout + result.stderr
    found = json.loads((tmp_path / "out").read_text())["targets"]
    assert sorted(found) == ["dg2", "gfx1030", "sm_75", "spirv"]
    for name in ("dg2", "gfx1030", "sm_75"):
        rows = {row["kernel"]: row for row in found[name]["rows"] if row["op"] == "compact"}
        assert {"compact_count", "compact_write"} <= set(rows)
        assert rows["compact_count"]["registers"] > 0
        assert rows["compact_count"]["spills"] == 0
        assert 0 < rows["compact_count"]["occupancy"] <= 1


def test_an_error_is_named(tmp_path: Path) -> None:
    broken = kernels(tmp_path, ENTRY, ENTRY + "  counts[0] = nowhere;\n")
    result = matrix(tmp_path, "--target", "gfx1030", "--target", "spirv", "--kernels", str(broken))
    assert result.returncode == 1
    for target in ("gfx1030", "spirv"):
        lines = [line for line in result.stdout.splitlines() if line.startswith(f"FAILED: {target}: compact blocks")]
        assert any("nowhere" in line and "compact.cl" in line for line in lines), result.stdout


def test_a_spill_is_named(tmp_path: Path) -> None:
    targets = ("gfx1030", "sm_75", "dg2")
    chosen = [word for target in targets for word in ("--target", target)]
    result = matrix(tmp_path, *chosen, "--kernels", str(kernels(tmp_path, ENTRY, SPILLS)))
    assert result.returncode == 1
    for target in targets:
        lines = [line for line in result.stdout.splitlines() if line.startswith(f"FAILED: {target}: compact blocks")]
        assert any("compact_count" in line and "spills" in line for line in lines), result.stdout


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(ROOT / "scripts"))
    return importlib.import_module("compile_matrix")


@pytest.mark.parametrize(
    ("group", "local", "arguments", "registers", "finding", "word"),
    [
        (256, 32768, 1024, 64, "", ""),
        (512, 0, 64, 64, "unfit", "groups of 512"),
        (64, 65000, 64, 64, "unfit", "local memory"),
        (64, 0, 1028, 64, "unfit", "arguments"),
        (256, 0, 64, 0, "unfit", "registers"),
    ],
)
def test_what_does_not_fit_is_named(
    module: ModuleType, group: int, local: int, arguments: int, registers: int, finding: str, word: str
) -> None:
    target = next(target for target in module.targets() if target.name == "gfx906")
    use = module.Use("op", "variant", "float32", "kernel", "case", group=group, local=local, arguments=arguments)
    kernel = module.KernelUse(registers=128, spills=0, scratch=0, local=1024, wave=64, waves=40 if registers else 2)
    row = module.judge(target, use, kernel, module.Known(module.KNOWN))
    assert row.finding == finding
    assert word in row.what


def test_a_reason_lets_a_finding_pass_only_where_it_says(module: ModuleType, tmp_path: Path) -> None:
    file = tmp_path / "known.toml"
    file.write_text('[[known]]\nkind = "spills"\nforced = true\ntargets = ["gfx906"]\nops = ["op"]\nreason = "A test."\n')
    target = next(target for target in module.targets() if target.name == "gfx906")
    spills = module.KernelUse(registers=256, spills=9, scratch=36, local=0, wave=64, waves=4)

    def reason(op: str, chosen: bool) -> str:
        return module.judge(target, module.Use(op, "variant", "float32", "kernel", "case", chosen=chosen), spills, known).reason

    known = module.Known(file)
    assert known.stale(["gfx906"]) != []
    assert known.stale(["sm_75"]) == []
    assert reason("op", chosen=True) == ""
    assert reason("other", chosen=False) == ""
    assert reason("op", chosen=False) == "A test."
    assert known.stale(["gfx906"]) == []
