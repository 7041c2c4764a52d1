"""`oncilla devices`, where there are devices and where there are none."""

import json
import os
from pathlib import Path

import pytest
from conftest import Run

# Field of a device in the JSON, and its type.
FIELDS = {
    "index": int,
    "name": str,
    "vendor": str,
    "platform": str,
    "driver": str,
    "api": str,
    "class": str,
    "memory_bytes": int,
    "max_alloc_bytes": int,
    "local_bytes": int,
    "compute_units": int,
    "max_work_group": int,
    "base_align_bytes": int,
    "features": list,
    "plugin": dict,
}


def test_json_has_every_field(oncilla: Run) -> None:
    result = oncilla("devices", "--json")
    assert result.returncode == 0, result.stderr
    document = json.loads(result.stdout)
    assert set(document) == {"version", "devices", "problems"}
    assert document["devices"], "no device"
    for index, device in enumerate(document["devices"]):
        assert set(device) == {*FIELDS, "error", "warning"}
        for field, kind in FIELDS.items():
            assert type(device[field]) is kind, field
        assert device["index"] == index
        assert device["error"] is None
        assert device["warning"] is None
        assert device["class"] in ("cpu", "integrated", "discrete", "other")
        assert 0 < device["max_alloc_bytes"] <= device["memory_bytes"]
        assert device["compute_units"] > 0
        assert all(isinstance(feature, str) for feature in device["features"])
        assert device["plugin"]["name"] == "opencl"
        assert Path(device["plugin"]["path"]).is_absolute()


def test_table_names_each_device(oncilla: Run) -> None:
    devices = json.loads(oncilla("devices", "--json").stdout)["devices"]
    table = oncilla("devices")
    assert table.returncode == 0
    for device in devices:
        assert f"ocl:{device['index']}  {device['name']}" in table.stdout
        assert device["platform"] in table.stdout
        assert device["driver"] in table.stdout
    for label in ("class", "memory", "max allocation", "compute units", "features"):
        assert label in table.stdout


def test_probed_features_of_pocl(oncilla: Run) -> None:
    devices = json.loads(oncilla("devices", "--json").stdout)["devices"]
    pocl = [d for d in devices if "Portable Computing" in d["platform"]]
    if not pocl:
        pytest.skip("pocl is not among the devices")
    assert pocl[0]["class"] == "cpu"
    assert "fp64" in pocl[0]["features"]


def nothing_usable(result, *words: str) -> None:
    """Status 2, one sentence that says what to install, and no output that looks like devices."""
    assert result.returncode == 2, (result.stdout, result.stderr)
    for word in ("install", "pocl-opencl-icd", *words):
        assert word in result.stderr
    assert "ocl:0" not in result.stdout


def test_empty_vendors_folder(oncilla: Run, tmp_path: Path) -> None:
    nothing_usable(oncilla("devices", OCL_ICD_VENDORS=str(tmp_path)))


def test_missing_vendors_folder(oncilla: Run, tmp_path: Path) -> None:
    nothing_usable(oncilla("devices", OCL_ICD_VENDORS=str(tmp_path / "absent")))


def test_dangling_icd_is_named(oncilla: Run, tmp_path: Path) -> None:
    library = tmp_path / "libgone.so"
    (tmp_path / "gone.icd").write_text(f"{library}\n")
    nothing_usable(oncilla("devices", OCL_ICD_VENDORS=str(tmp_path)), "gone.icd", str(library))


def test_a_cache_folder_that_cannot_be_used_is_named(oncilla: Run, tmp_path: Path) -> None:
    (tmp_path / "cache").write_text("a file, no folder")
    result = oncilla("devices", ONCILLA_CACHE_DIR=str(tmp_path / "cache"))
    assert result.returncode == 0, result.stderr
    assert f"no programs are kept on disk: {tmp_path}/cache cannot be opened" in result.stdout


def test_without_devices_json_is_still_json(oncilla: Run, tmp_path: Path) -> None:
    result = oncilla("devices", "--json", OCL_ICD_VENDORS=str(tmp_path))
    nothing_usable(result)
    document = json.loads(result.stdout)
    assert document["devices"] == []
    assert any("install" in problem for problem in document["problems"])


def test_a_dangling_icd_beside_a_good_one_does_no_harm(oncilla: Run, tmp_path: Path) -> None:
    good = json.loads(oncilla("devices", "--json").stdout)["devices"]
    vendors = Path(os.environ.get("OCL_ICD_VENDORS", "/etc/OpenCL/vendors"))
    for icd in vendors.glob("*.icd"):
        (tmp_path / icd.name).write_text(icd.read_text())
    (tmp_path / "gone.icd").write_text("/nonexistent/libgone.so\n")
    result = oncilla("devices", "--json", OCL_ICD_VENDORS=str(tmp_path))
    assert result.returncode == 0, result.stderr
    assert [d["name"] for d in json.loads(result.stdout)["devices"]] == [d["name"] for d in good]


def test_reference_plugin_by_name(oncilla: Run) -> None:
    result = oncilla("devices", "--json", "--plugin", "reference")
    assert result.returncode == 0, result.stderr
    assert {d["plugin"]["name"] for d in json.loads(result.stdout)["devices"]} == {"reference"}


@pytest.mark.parametrize("plugin", ["nosuch", "/nonexistent/plugin.so"])
def test_a_plugin_that_does_not_exist(oncilla: Run, plugin: str) -> None:
    result = oncilla("devices", "--plugin", plugin)
    assert result.returncode == 2
    assert plugin in result.stderr


def test_version(oncilla: Run) -> None:
    result = oncilla("--version")
    assert result.returncode == 0
    assert result.stdout.startswith("oncilla 0.")


def test_help_names_the_commands(oncilla: Run) -> None:
    result = oncilla("--help")
    assert result.returncode == 0
    assert "devices" in result.stdout


@pytest.mark.parametrize(
    "arguments", [(), ("frobnicate",), ("devices", "--frobnicate"), ("devices", "stray"), ("devices", "--plugin")]
)
def test_wrong_command_lines(oncilla: Run, arguments: tuple[str, ...]) -> None:
    result = oncilla(*arguments)
    assert result.returncode == 2
    assert "Usage: oncilla" in result.stderr
    assert result.stdout == ""


def test_output_survives_a_closed_pipe(tool: Path) -> None:
    # `oncilla devices | head -1` must not leave a core file or a message.
    import subprocess

    result = subprocess.run(["bash", "-c", f"{tool} devices | head -n 1"], capture_output=True, text=True, timeout=300, check=False)
    assert result.returncode == 0
    assert result.stderr == ""
