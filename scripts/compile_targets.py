"""The compilers of devices that are not there: how each is called, and what it says about a kernel.

A target is a row of test/kernels/targets.toml. `compile_program` turns one source into a Compiled; nothing here chooses what is compiled.
"""

import re
import shutil
import struct
import subprocess
import tempfile
import time
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from compile_record import ROOT

TARGETS = ROOT / "test/kernels/targets.toml"
BITCODE = Path("/usr/lib/x86_64-linux-gnu/amdgcn/bitcode")
LIBCLC = Path("/usr/lib/clc/nvptx64--nvidiacl.bc")
PTXAS = ROOT / "build/runtimes/ptxas/nvidia/cuda_nvcc/bin/ptxas"
SECONDS = 300  # for one program


@dataclass
class Target:
    """A row of targets.toml."""

    name: str
    about: str
    vendor: str
    compiler: str
    arch: str
    device: dict[str, int]
    unit: dict[str, int] = field(default_factory=dict)
    text: str = ""  # PTX is made for this one
    ci: str = ""  # the selection of programs that CI compiles; "": none
    page: str = "kinds"  # the selection for docs/compile-matrix.md


@dataclass
class KernelUse:
    """What a kernel takes of a device. None: the compiler does not say."""

    registers: int | None = None
    spills: int | None = None  # of vector registers: how many, or bytes of them, as the compiler counts
    scratch: int | None = None  # bytes a work-item, or a thread of Intel's
    local: int | None = None  # bytes that the source declares
    wave: int | None = None  # work-items of a sub-group
    waves: int | None = None  # that registers leave room for on a unit


@dataclass
class Compiled:
    """What came of one program."""

    errors: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    kernels: dict[str, KernelUse] = field(default_factory=dict)
    seconds: float = 0


def targets() -> list[Target]:
    """Return the rows of targets.toml."""
    return [Target(**row) for row in tomllib.loads(TARGETS.read_text())["target"]]


def call(command: list[str | Path], folder: Path) -> tuple[int, str]:
    """Run a compiler; return its status and all it printed."""
    try:
        done = subprocess.run(
            command, cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=SECONDS
        )
    except subprocess.TimeoutExpired:
        return 124, f"error: {Path(command[0]).name} still ran after {SECONDS} s"
    return done.returncode, done.stdout.decode(errors="replace")


def sort_messages(result: Compiled, status: int, output: str, tool: str) -> bool:
    """Collect errors and warnings, each once; return whether the tool succeeded."""
    for line in output.splitlines():
        found = re.search(r"\b(fatal error|error|warning)\b\s*:", line)
        if found is not None:
            into = result.warnings if found[1] == "warning" else result.errors
            if line.strip() not in into:
                into.append(line.strip())
    if status != 0 and not result.errors:
        last = (output.strip().splitlines() or ["it said nothing"])[-1]
        result.errors.append(f"error: {tool} ended with status {status}: {last}")
    return status == 0


def clang(source: Path, target: str, options: list[str], more: list[str], out: str) -> list[str | Path]:
    """Compile OpenCL C to what `out` names."""
    return ["clang-15", "-x", "cl", *options, "-target", target, *more, "-o", out, source]


def bitcode(files: list[Path]) -> list[str]:
    """Link device libraries."""
    return [word for file in files for word in ("-Xclang", "-mlink-builtin-bitcode", "-Xclang", str(file))]


def amd_libraries(arch: str) -> list[Path]:
    """Return ROCm's device libraries as its driver links them for a device."""
    version, wide = arch.removeprefix("gfx"), "off" if int(arch[3:-2]) >= 10 else "on"
    names = [
        "opencl",
        "ocml",
        "ockl",
        f"oclc_isa_version_{version}",
        f"oclc_wavefrontsize64_{wide}",
        "oclc_correctly_rounded_sqrt_on",
    ]
    names += ["oclc_daz_opt_off", "oclc_finite_only_off", "oclc_unsafe_math_off", "oclc_abi_version_400"]
    return [BITCODE / f"{name}.bc" for name in names]


def compile_amd(target: Target, source: Path, options: list[str], folder: Path) -> Compiled:
    """Clang and ROCm's device libraries. The resources stand in the metadata of the assembly, the occupancy in its comments."""
    result = Compiled()
    more = [f"-mcpu={target.arch}", "-nogpulib", "-O3", "-S", *bitcode(amd_libraries(target.arch))]
    if not sort_messages(result, *call(clang(source, "amdgcn-amd-amdhsa", options, more, "out.s"), folder), "clang"):
        return result
    text = (folder / "out.s").read_text(errors="replace")
    waves: dict[str, int] = {}
    # Each kernel's code begins with its label, and its numbers follow it as comments.
    label = ""
    for line in text.splitlines():
        if found := re.match(r"^(\w+):\s+; @\1$", line):
            label = found[1]
        elif found := re.match(r"^; Occupancy: (\d+)", line):
            waves[label] = int(found[1])
    for block in re.split(r"^  - (?=\.)", text[text.find("amdhsa.kernels:") :], flags=re.M)[1:]:
        values = dict(re.findall(r"^    \.(\w+):\s+(\S+)$", block, re.M))
        name = values["name"].strip("'\"")
        result.kernels[name] = KernelUse(
            registers=int(values["vgpr_count"]),
            spills=int(values["vgpr_spill_count"]),
            scratch=int(values["private_segment_fixed_size"]),
            local=int(values["group_segment_fixed_size"]),
            wave=int(values["wavefront_size"]),
            waves=waves.get(name, 0) * target.unit["simds"] or None,
        )
    return result


def compile_nvidia(target: Target, source: Path, options: list[str], folder: Path) -> Compiled:
    """Clang and libclc make PTX, and ptxas machine code of it."""
    result = Compiled()
    more = ["-Xclang", "-target-cpu", "-Xclang", target.text or target.arch, "-O3", "-S", *bitcode([LIBCLC])]
    if not sort_messages(result, *call(clang(source, "nvptx64-unknown-nvidiacl", options, more, "out.ptx"), folder), "clang"):
        return result
    status, output = call([PTXAS, "-v", f"-arch={target.arch}", "out.ptx", "-o", "out.cubin"], folder)
    if not sort_messages(result, status, output, "ptxas"):
        return result
    name = ""
    for line in output.splitlines():
        if found := re.search(r"Compiling entry function '(\w+)'", line):
            name = found[1]
            result.kernels[name] = KernelUse(spills=0, scratch=0, local=0, wave=target.unit["wave"])
        if name == "":
            continue
        kernel = result.kernels[name]
        if found := re.search(r"(\d+) bytes stack frame, (\d+) bytes spill stores", line):
            kernel.scratch, kernel.spills = int(found[1]), int(found[2])
        if found := re.search(r"Used (\d+) registers", line):
            kernel.registers = int(found[1])
            # A warp gets registers in units of 256, and the four parts of a multiprocessor alike.
            kernel.waves = min(target.unit["threads"], target.unit["registers"] // (-(-int(found[1]) * 32 // 256) * 256) // 4 * 4)
            smem = re.search(r"(\d+) bytes smem", line)
            kernel.local = int(smem[1]) if smem else 0
    return result


def ze_info(binary: bytes) -> str:
    """Return the section of Intel's binary that describes its kernels."""
    (sections,) = struct.unpack_from("<Q", binary, 0x28)
    size, count, names = struct.unpack_from("<HHH", binary, 0x3A)
    rows = [struct.unpack_from("<IIQQQQIIQQ", binary, sections + i * size) for i in range(count)]
    for row in rows:
        begin = rows[names][4] + row[0]
        if binary[begin : binary.index(b"\0", begin)] == b".ze_info":
            return binary[row[4] : row[4] + row[5]].decode()
    return ""


def compile_intel(target: Target, source: Path, options: list[str], folder: Path) -> Compiled:
    """Compile with ocloc, which has the compiler of Intel's driver. Spills are its warnings, the rest stands in the binary."""
    result = Compiled()
    command = ["ocloc", "compile", "-file", source, "-device", target.arch, "-output", "out", "-out_dir", folder]
    status, output = call([*command, "-options", " ".join(options), "-internal_options", "-ze-allow-zebin"], folder)
    spilled = re.compile(r"warning: kernel (\w+)\s+compiled SIMD(\d+) allocated (\d+) regs and spilled around (\d+)")
    spills = {found[1]: int(found[4]) for found in spilled.finditer(output)}
    if not sort_messages(result, status, spilled.sub("", output), "ocloc"):
        return result
    binary = next(folder.glob("out_*.bin"), None)
    kernels = ze_info(binary.read_bytes()).split("kernels_misc_info:")[0] if binary is not None else ""
    for block in re.split(r"^  - name: +", kernels, flags=re.M)[1:]:
        name = block.split()[0].strip("'\"")
        if name == "Intel_Symbol_Table_Void_Program":  # no kernel: where functions are that are called
            continue
        values = dict(re.findall(r"^      (grf_count|simd_size|slm_size): +(\d+)$", block, re.M))
        buffers = block.split("per_thread_memory_buffers:")[1:]
        registers = int(values["grf_count"])
        result.kernels[name] = KernelUse(
            registers=registers,
            spills=spills.get(name, 0),
            scratch=sum(int(size) for size in re.findall(r"^ +size: +(\d+)$", buffers[0] if buffers else "", re.M)),
            local=int(values.get("slm_size", 0)),
            wave=int(values["simd_size"]),
            waves=target.unit["threads"] * 128 // registers,
        )
    if not result.kernels:
        result.errors.append("error: ocloc's binary does not describe its kernels")
    return result


def compile_spirv(target: Target, source: Path, options: list[str], folder: Path) -> Compiled:
    """Translate what clang makes without optimising: spirv-val rejects the loops that it makes otherwise."""
    result = Compiled()
    # What a driver may ask of division and square root is an option of the compiler that comes after.
    options = [word for word in options if word != "-cl-fp32-correctly-rounded-divide-sqrt"]
    more = ["-O0", "-Xclang", "-finclude-default-header", "-emit-llvm", "-c"]
    steps: list[tuple[str, list[str | Path]]] = [
        ("clang", clang(source, f"{target.arch}-unknown-unknown", options, more, "out.bc")),
        ("llvm-spirv", ["llvm-spirv-15", "--spirv-max-version=1.2", "out.bc", "-o", "out.spv"]),
        ("spirv-val", ["spirv-val", "--target-env", "opencl1.2", "out.spv"]),
    ]
    for tool, command in steps:
        if not sort_messages(result, *call(command, folder), tool):
            return result
    entries = subprocess.run(["spirv-dis", "out.spv"], cwd=folder, capture_output=True, text=True, check=True).stdout
    result.kernels = {name: KernelUse() for name in re.findall(r'OpEntryPoint Kernel %\S+ "(\w+)"', entries)}
    return result


@dataclass
class Compiler:
    """A chain of tools: what it needs, and how to call it."""

    work: Callable[[Target, Path, list[str], Path], Compiled]
    tools: list[str | Path]
    packages: list[str]  # of Debian; ptxas is PyPI's

    def lacks(self, target: Target) -> str:
        """Name what is not installed, or ""."""
        files = [*self.tools, *(amd_libraries(target.arch) if self.work is compile_amd else [])]
        missing = [str(tool) for tool in files if shutil.which(tool) is None and not Path(tool).is_file()]
        return ", ".join(missing)

    def version(self) -> str:
        """Say which versions these are: a result is kept for them only."""
        words = []
        for package in self.packages:
            done = subprocess.run(["dpkg-query", "-W", "-f", "${Package} ${Version}", package], capture_output=True, text=True)
            words.append(done.stdout or package)
        if PTXAS in self.tools:
            done = subprocess.run([PTXAS, "--version"], capture_output=True, text=True)
            words += ["ptxas " + found for found in re.findall(r"V([\d.]+)", done.stdout)]
        return ", ".join(words)


COMPILERS = {
    "ocloc": Compiler(compile_intel, ["ocloc"], ["intel-opencl-icd", "libigc1"]),
    "amdgcn": Compiler(compile_amd, ["clang-15"], ["clang-15", "rocm-device-libs"]),
    "nvptx": Compiler(compile_nvidia, ["clang-15", LIBCLC, PTXAS], ["clang-15", "libclc-15"]),
    "spirv": Compiler(
        compile_spirv, ["clang-15", "llvm-spirv-15", "spirv-val", "spirv-dis"], ["clang-15", "llvm-spirv-15", "spirv-tools"]
    ),
}


def compile_program(target: Target, source: str, options: list[str]) -> Compiled:
    """Compile one program for a target."""
    with tempfile.TemporaryDirectory() as name:
        file = Path(name) / "program.cl"
        file.write_text(source)
        begin = time.monotonic()
        result = COMPILERS[target.compiler].work(target, file, options, Path(name))
        result.seconds = round(time.monotonic() - begin, 2)
    return result


def occupancy(target: Target, kernel: KernelUse, group: int, local: int) -> float | None:
    """Return the share of a unit's work-items that groups of this size and local memory fill, None where the compiler does not say; 0: not one group fits."""
    if kernel.waves is None or kernel.wave is None:
        return None
    most = target.unit["threads"]
    if group == 0:
        return min(kernel.waves, most) / most
    groups = min(kernel.waves // -(-group // kernel.wave), target.unit["groups"])
    bytes_of_group = local + (kernel.local or 0)
    if bytes_of_group > 0:
        groups = min(groups, target.unit["local"] // bytes_of_group)
    return groups * group / (most * kernel.wave)
