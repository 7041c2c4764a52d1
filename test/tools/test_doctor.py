"""`oncilla doctor`: clean where all is well, and each fault that the faulty layer seeds is found, named, and followed by what to do.

The layer (test/layer/faulty.cpp) lies between the loader and pocl. Programs that it did not change are the same for all faults, so that pocl compiles them once.
"""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest
from conftest import ROOT, Run

KERNEL = ("--part", "ops", "--op", "softmax")
DEVICE = ("--part", "device")

# Fault: the arguments that narrow the run, and what the line about it says.
FAULTS: dict[str, tuple[tuple[str, ...], str]] = {
    # in a kernel
    "flip": (KERNEL, r"the first wrong op is softmax"),
    "barrier": (KERNEL, r"the first wrong op is softmax .*\[group\]"),
    "miscompile": (KERNEL, r"the first wrong op is softmax"),
    "launch_fails": (KERNEL, r"the first wrong op is softmax .*CL_OUT_OF_RESOURCES"),
    "launch_lost": (KERNEL, r"the first wrong op is softmax"),
    "launch_sometimes_lost": (KERNEL, r"the first wrong op is softmax"),
    "launch_crashes": (KERNEL, r"the first wrong op is softmax .*ended by signal 11"),
    "launch_hangs": ((*KERNEL, "--limit", "6"), r"the first wrong op is softmax .*took longer than 6 s"),
    "build_fails": (KERNEL, r"the first wrong op is softmax .*does not compile: CL_BUILD_PROGRAM_FAILURE"),
    # in what every op stands on
    "barriers": (DEVICE, r"a work-group with barriers does not work"),
    "build_hangs": ((*DEVICE, "--limit", "2"), r"nothing came from it for 2 s while listing the devices and probing"),
    "build_accepts": (DEVICE, r"clBuildProgram accepts a program with an error"),
    "log_empty": (DEVICE, r"clGetProgramBuildInfo gives no log"),
    "binary_refused": (DEVICE, r"clCreateProgramWithBinary refuses .*CL_INVALID_BINARY"),
    "buffer_fails": (DEVICE, r"\[buffer_alloc\] \d+ bytes: CL_MEM_OBJECT_ALLOCATION_FAILURE"),
    "copy_short": (DEVICE, r"clEnqueueCopyBuffer\) of 4099 bytes is wrong"),
    "write_aligned": (DEVICE, r"clEnqueueWriteBuffer\) of 61 bytes is wrong"),
    "fill_first": (DEVICE, r"clEnqueueFillBuffer\) of 61 bytes is wrong"),
    "map_stale": (DEVICE, r"clEnqueueMapBuffer\) for reading of 61 bytes is wrong"),
    "wait_ignored": (DEVICE, r"did not wait for the event of another \(clEnqueueBarrierWithWaitList\)"),
    "queue_fails": (DEVICE, r"a process failed \(oncilla: \[queue_create\]: CL_OUT_OF_HOST_MEMORY .* while making a queue"),
    "times_stale": (DEVICE, r"event times are wrong \(clGetEventProfilingInfo\)"),
    "local_memory": (DEVICE, r"of the 16777216 bytes of local memory that the driver claims does not work"),
    "group_size": (DEVICE, r"a work-group of 65536 items, the most that the driver claims, does not work"),
    "claims_half": (DEVICE, r"the driver names cl_khr_fp16, but a kernel that uses it does not compile"),
    "no_device": (DEVICE, r"no OpenCL platform has a device"),
}
COMMANDS = {"write_aligned", "map_stale"}  # that nothing uses where host and device share memory
WARNINGS = {"log_empty", "claims_half", "times_stale"}  # training goes on


@pytest.fixture(scope="session")
def layer() -> str:
    path = Path(os.environ.get("ONCILLA_TEST_LAYER", ROOT / "build/release/lib/libtest_faulty_layer.so"))
    if not path.exists():
        pytest.fail(f"{path} is not built: run cmake --preset release")
    return str(path)


def lines(output: str, level: str) -> list[str]:
    return [line[11:] for line in output.splitlines() if line.startswith(f"  {level} ")]


def test_a_working_runtime_is_clean(oncilla: Run, layer: str, tmp_path: Path) -> None:
    # With the layer, which does nothing: what is found with a fault is the fault's.
    report = tmp_path / "report.md"
    environment = {"OPENCL_LAYERS": layer, "ONCILLA_TEST_FAULT": "none", "ONCILLA_CACHE_DIR": str(tmp_path / "cache")}
    result = oncilla("doctor", "--op", "softmax,matmul", "--report", str(report), **environment)
    assert result.returncode == 0, result.stdout + result.stderr
    assert not lines(result.stdout, "problem")
    assert "0 problems, " in result.stdout
    for words in (
        r"  ok +the loader is .*libOpenCL",
        r"  ok +.*\.icd names .*, which loads",
        r"  ok +probes found .*fp64",
        r"  ok +a work-group of \d+ items",
        r"  ok +copies, fills and maps keep every byte",
        r"  ok +a queue waits for the events of another",
        r"  ok +four fills took",
        r"GB/s",
        r"GFLOP/s",
        r"  ok +.*cache: 1 entries",
        r"  ok +2 ops: \d+ runs agree with the reference",
        r"  note +OPENCL_LAYERS=",
    ):
        assert re.search(words, result.stdout), words
    text = report.read_text()
    for part in ("# oncilla doctor", "## Ops", "softmax: ", "## Environment", '"features"'):
        assert part in text


@pytest.mark.parametrize("fault", FAULTS)
def test_a_seeded_fault_is_found(oncilla: Run, layer: str, tmp_path: Path, fault: str) -> None:
    arguments, words = FAULTS[fault]
    environment = {"OPENCL_LAYERS": layer, "ONCILLA_TEST_FAULT": fault, "ONCILLA_CACHE_DIR": str(tmp_path / "cache")}
    if fault in COMMANDS:
        environment["ONCILLA_FEATURES_OFF"] = "unified_memory"
    result = oncilla("doctor", *arguments, **environment)
    level = "warning" if fault in WARNINGS else "problem"
    output = result.stdout + result.stderr
    assert "no fault called" not in output
    assert any(re.search(words, line) for line in lines(result.stdout, level)), output
    assert "\n           -> " in result.stdout
    assert result.returncode == (0 if fault in WARNINGS else 1)


def test_a_quirk_of_the_driver_turns_a_feature_off(oncilla: Run, layer: str, tmp_path: Path) -> None:
    environment = {"OPENCL_LAYERS": layer, "ONCILLA_TEST_FAULT": "quirk", "ONCILLA_CACHE_DIR": str(tmp_path / "cache")}

    def features(driver: str) -> list[str]:
        listed = oncilla("devices", **environment, ONCILLA_TEST_DRIVER=driver).stdout
        return re.search(r"features +(.*)", listed)[1].split()

    # The row: from 2.1 on, until 2.10.
    for driver, concerned in (("2.0.9", False), ("2.1", True), ("2.9.7+build.77", True), ("2.10", False), ("10.0", False)):
        found = features(driver)
        assert ("svm" not in found) is concerned, driver
        assert "fp64" in found
    told = oncilla("doctor", "--part", "device", **environment, ONCILLA_TEST_DRIVER="2.9.7+build.77")
    assert told.returncode == 0
    assert re.search(r"  ok +probes found .*svm", told.stdout)  # found, and turned off all the same
    assert re.search(r"  note +a row for the tests; svm is turned off \(test/tools/test_doctor.py\)", told.stdout)


def test_unified_memory_is_used_only_where_it_is(oncilla: Run, layer: str, tmp_path: Path) -> None:
    for fault, unified in (("none", True), ("memory_apart", False)):
        environment = {"OPENCL_LAYERS": layer, "ONCILLA_TEST_FAULT": fault, "ONCILLA_CACHE_DIR": str(tmp_path / fault)}
        found = re.search(r"features +(.*)", oncilla("devices", **environment).stdout)[1].split()
        assert "svm" in found and ("unified_memory" in found) is unified
        told = oncilla("doctor", "--part", "device", **environment)
        assert told.returncode == 0, told.stdout
        assert re.search(r"  ok +copies, fills and maps keep every byte", told.stdout)


def test_features_are_turned_off_by_name(oncilla: Run) -> None:
    def listed(off: str | None) -> subprocess.CompletedProcess:
        return oncilla("devices", ONCILLA_FEATURES_OFF=off)

    every = re.search(r"features +(.*)", listed(None).stdout)[1].split()
    for name in every:
        gone = {"svm": {"svm", "unified_memory"}}.get(name, {name})  # what is built on it goes with it
        assert re.search(r"features +(.*)", listed(name).stdout)[1].split() == [f for f in every if f not in gone]
    assert re.search(r"features +(.*)", listed(",".join(every)).stdout)[1] == "none"
    assert listed("").returncode == 0
    wrong = listed("fp64,fp46")
    assert wrong.returncode == 1
    assert 'ONCILLA_FEATURES_OFF=fp64,fp46: "fp46" is no feature; there are fp64, fp16, int64_atomics, subgroups' in wrong.stdout
    told = oncilla("doctor", "--part", "device", ONCILLA_FEATURES_OFF="fp64")
    assert re.search(r"  note +fp64 is turned off by ONCILLA_FEATURES_OFF", told.stdout)
    assert told.returncode == 0
    assert oncilla("doctor", "--part", "device", ONCILLA_FEATURES_OFF="fp46").returncode == 1


def test_the_report_holds_no_private_names(oncilla: Run, tmp_path: Path) -> None:
    home = tmp_path / "home" / "jane"
    home.mkdir(parents=True)
    report = tmp_path / "report.md"
    names = {
        "HOME": str(home),
        "USER": "jane",
        "LOGNAME": "jane",
        "HOSTNAME": "janes-desk",
        "ONCILLA_CACHE_DIR": str(home / "cache"),
    }
    vendors = {"OCL_ICD_FILENAMES": "/srv/jane/janes-desk/driver.so"}
    result = oncilla("doctor", "--part", "machine,device", "--report", str(report), **names, **vendors)
    for text in (result.stdout.replace(str(report), ""), report.read_text()):
        assert "jane" not in text
        assert "~/cache" in text
        assert "/srv/USER/HOST/driver.so" in text


def test_the_cache_is_examined(oncilla: Run, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    assert oncilla("devices", ONCILLA_CACHE_DIR=str(cache)).returncode == 0
    (entry,) = cache.iterdir()
    (cache / ("0" * 64)).write_bytes(entry.read_bytes())  # under a name that is not its own
    (cache / "notes.txt").write_text("mine")

    def told(**changes: str | None) -> str:
        return oncilla("doctor", "--part", "device", **{"ONCILLA_CACHE_DIR": str(cache), **changes}).stdout

    text = told()
    assert re.search(r"  ok +.*cache: 2 entries", text)
    assert re.search(r"  warning +1 damaged entries", text)
    assert re.search(r"  note +1 files that are not Oncilla's", text)
    assert "programs are not kept on disk" in told(ONCILLA_CACHE_DIR="")
    cache.chmod(0o777)
    assert re.search(r"  warning +.*is writable by others", told())


# --- The machine around it, as a tree of files


@pytest.fixture
def machine():
    """Make a tree with /etc, /sys and /dev that anybody may read."""
    root = Path(tempfile.mkdtemp())
    root.chmod(0o755)
    yield root
    shutil.rmtree(root)


def furnish(root: Path, system: str, gpu: str | None = None, module: str | None = None) -> Path:
    (root / "etc").mkdir(exist_ok=True)
    (root / "etc/os-release").write_text(system)
    (root / "dev/dri").mkdir(parents=True, exist_ok=True)
    vendors = root / "etc/OpenCL/vendors"
    vendors.mkdir(parents=True, exist_ok=True)
    if gpu:
        slot = root / "sys/bus/pci/devices/0000:03:00.0"
        slot.mkdir(parents=True)
        (slot / "class").write_text("0x030000\n")
        (slot / "vendor").write_text(gpu + "\n")
        if module:
            (root / "sys/bus/pci/drivers" / module).mkdir(parents=True)
            (slot / "driver").symlink_to(root / "sys/bus/pci/drivers" / module)
    return vendors


@pytest.mark.parametrize(
    ("system", "gpu", "name", "command"),
    [
        ("ID=debian\n", "0x8086", "Intel", "sudo apt-get install intel-opencl-icd"),
        ("ID=ubuntu\nID_LIKE=debian\n", "0x10de", "NVIDIA", "sudo ubuntu-drivers install"),
        ('ID="rocky"\nID_LIKE="rhel centos fedora"\n', "0x1002", "AMD", "sudo dnf install rocm-opencl"),
        ("ID=gentoo\n", "0x1002", "AMD", "install AMD's ROCm"),
    ],
)
def test_a_gpu_without_a_driver(oncilla: Run, machine: Path, system: str, gpu: str, name: str, command: str) -> None:
    furnish(machine, system, gpu)
    result = oncilla("doctor", "--part", "machine", "--root", str(machine), OCL_ICD_VENDORS=None)
    assert result.returncode == 1
    assert f"GPU of {name} at 0000:03:00.0 is driven by no kernel module" in result.stdout
    assert "in a container they are handed in" in result.stdout
    assert "no driver: there is no .icd file" in result.stdout
    assert f"no OpenCL driver for the GPU of {name}\n           -> {command}" in result.stdout


def test_a_gpu_that_is_served(oncilla: Run, machine: Path) -> None:
    vendors = furnish(machine, "ID=debian\n", "0x8086", "i915")
    (machine / "dev/dri/renderD128").touch()
    (vendors / "intel.icd").write_text("/nonexistent/libigdrcl.so\n")
    result = oncilla("doctor", "--part", "machine", "--root", str(machine), OCL_ICD_VENDORS=None)
    assert "GPU of Intel at 0000:03:00.0, kernel module i915" in result.stdout
    assert re.search(r"  ok +/dev/dri/renderD128 may be opened", result.stdout)
    assert "no OpenCL driver for" not in result.stdout
    assert re.search(r"  problem +.*intel.icd names /nonexistent/libigdrcl.so, which does not load", result.stdout)
    assert "-> reinstall the driver, or delete the file" in result.stdout


def test_a_device_file_of_a_group_without_the_user(tool: Path, machine: Path) -> None:
    furnish(machine, "ID=debian\n", "0x1002", "amdgpu")
    node = machine / "dev/dri/renderD128"
    node.touch()
    root = os.geteuid() == 0
    node.chmod(0o660 if root else 0)
    other = {"user": 65534, "group": 65534, "extra_groups": []} if root else {}
    if root and subprocess.run([tool, "--version"], check=False, capture_output=True, **other).returncode != 0:
        pytest.skip("another user may not run the command here")
    if root:
        os.chown(node, 0, 44)  # video
    arguments = [tool, "doctor", "--part", "machine", "--root", str(machine)]
    result = subprocess.run(arguments, capture_output=True, text=True, check=False, timeout=120, **other)
    assert re.search(r"  problem +/dev/dri/renderD128 may not be opened by this user; it belongs to the group \w+", result.stdout)
    if root:
        assert "-> sudo usermod -aG video $(id -un), then log in again" in result.stdout


def test_each_vendor_file_is_tried(oncilla: Run, tmp_path: Path) -> None:
    def build(name: str, source: str, *flags: str) -> Path:
        library = tmp_path / name
        (tmp_path / "source.c").write_text(source)
        subprocess.run(["cc", "-shared", "-fPIC", "-o", library, tmp_path / "source.c", *flags], check=True)
        return library

    needed = build("libneeded_by_driver.so", "int needed(void) { return 1; }")
    driver = build("libdriver.so", "int needed(void); int driver(void) { return needed(); }", f"-L{tmp_path}", "-lneeded_by_driver")
    crashing = build("libcrashing.so", "#include <stdlib.h>\n__attribute__((constructor)) static void f(void) { abort(); }")
    plain = build("libplain.so", "int nothing(void) { return 0; }")
    needed.unlink()
    vendors = tmp_path / "vendors"
    vendors.mkdir()
    for name, text in (("a", driver), ("b", crashing), ("c", plain), ("d", ""), ("e", "libnosuch.so.7")):
        (vendors / f"{name}.icd").write_text(f"{text}\n")
    result = oncilla("doctor", "--part", "machine", OCL_ICD_VENDORS=str(vendors))
    assert result.returncode == 1
    found = "\n".join(lines(result.stdout, "problem"))
    assert "libneeded_by_driver.so is missing: " in result.stdout
    assert f"was ended by signal 6 (Aborted) while loading {crashing}" in found
    assert f"{plain}, which is no OpenCL driver" in found
    assert "d.icd names no library" in found
    assert "libnosuch.so.7, which does not load" in found


def test_what_cannot_run_is_named(oncilla: Run, tmp_path: Path) -> None:
    nowhere = oncilla("doctor", "--part", "machine", "--report", str(tmp_path / "no" / "report.md"))
    assert nowhere.returncode == 1
    assert "cannot write" in nowhere.stderr
    assert oncilla("doctor", "--part", "nosuch").returncode == 2
    assert oncilla("doctor", "--limit", "0").returncode == 2
    missing = oncilla("doctor", "--part", "device", "--device", "77")
    assert missing.returncode == 1
    assert "there is no device 77" in missing.stdout
    wrong_op = oncilla("doctor", "--part", "ops", "--op", "nosuch")
    assert wrong_op.returncode == 1
    assert '"nosuch" is no op' in wrong_op.stdout
