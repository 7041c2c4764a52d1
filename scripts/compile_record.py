"""The programs that a device would be given: test_ops over test/recorder, an OpenCL implementation that keeps them and computes nothing.

Nothing here assembles a program: the plugin does, with the tuning rows and limits of the device that the recorder pretends to be.
"""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# Ops whose every tape is a program: of these the smallest case of each kind (a row of elementwise.def, a feature of tapes) and dtype.
TAPES = ["expr", "foreach"]
SELECTIONS = {
    "few": "one program for each op, variant and kernel",
    "kinds": "also one for each kind of tape: a row of elementwise.def, a feature of tapes",
    "each": "also one for each dtype of an op, variant and kernel, and in float32 one with 64-bit indices",
    "all": "every program that the case tables make",
}


@dataclass
class Use:
    """How a plan uses a kernel of a program."""

    op: str
    variant: str
    dtype: str
    kernel: str
    case: str
    chosen: bool = False  # whether some plan takes this variant by itself
    group: int = 0  # work-items of a group, the most of any launch; 0: the driver chooses, or it was not launched
    local: int = 0  # bytes of local memory given as arguments, the most of any launch
    arguments: int = 0  # bytes of all arguments
    launched: bool = False

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What one program is compiled for."""
        return self.op, self.variant, self.kernel, self.dtype


@dataclass
class Program:
    """A source with its options, and what uses it."""

    source: str
    options: list[str]
    uses: dict[tuple[str, str, str, str], Use] = field(default_factory=dict)

    @property
    def digest(self) -> str:
        """Name it by its content."""
        return hashlib.sha256("\n".join([*self.options, self.source]).encode()).hexdigest()


@dataclass
class Recording:
    """What the case tables made a device compile."""

    programs: list[Program]
    variants: dict[str, dict[str, bool]]  # of each op: name, whether a plan takes it by itself
    declined: int = 0
    idle: list[str] = field(default_factory=list)  # kernels that no case launched


def parts(ops: list[str], selection: str) -> list[list[str]]:
    """Return the arguments of test_ops for each run: larger cases alone reach some variants, but not for each dtype."""
    kernel_ops, tapes = ",".join(op for op in ops if op not in TAPES), ",".join(op for op in ops if op in TAPES)
    runs = []
    if kernel_ops:
        runs.append(["--op", kernel_ops] if selection == "all" else ["--op", kernel_ops, "--dtype", "float32"])
        runs += [["--op", kernel_ops, "--smallest", "1"]] if selection != "all" else []
    if tapes:
        runs.append(["--op", tapes] if selection == "all" else ["--op", tapes, "--smallest", "1"])
    if selection in ("each", "all"):
        runs.append(["--op", ",".join(ops), "--smallest", "1", "--dtype", "float32", "--wide"])
    return runs


def record(build: Path, device: dict[str, int], ops: list[str], selection: str, kernels: Path | None = None) -> Recording:
    """Run the case tables on a device as described, or what a selection needs of them. `kernels` replaces the kernel files, for tests."""
    recorder, test_ops = build / "lib/libtest_recorder.so", build / "bin/test_ops"
    for file in (recorder, test_ops):
        if not file.exists():
            sys.exit(f"compile-matrix: {file} is not built: cmake --preset release && cmake --build --preset release")
    lines: list[dict] = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "vendors").mkdir()
        (folder / "vendors/recorder.icd").write_text(f"{recorder}\n")
        environment = {
            **os.environ,
            "OCL_ICD_VENDORS": str(folder / "vendors"),
            "ONCILLA_CACHE_DIR": "",
            "ONCILLA_RECORDER_FOLDER": str(folder),
            "ONCILLA_RECORDER_DEVICE": " ".join(f"{key}={value}" for key, value in device.items()),
        }
        if kernels is not None:
            environment["ONCILLA_KERNELS"] = str(kernels)
        for part in parts(ops, selection):
            log = folder / "log"
            done = subprocess.run(
                [test_ops, "--record", log, *part], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True
            )
            if done.returncode != 0:
                tail = "\n".join((done.stdout + done.stderr).strip().splitlines()[-8:])
                sys.exit(f"compile-matrix: the case tables did not run on the recorder (status {done.returncode}):\n{tail}")
            wide = "--wide" in part
            lines.append({"planning": ""})  # what comes before the first case is the device's own: probes
            lines += [{**json.loads(line), "wide": wide} for line in log.read_text().splitlines()]
            log.unlink()
        texts = {file.stem: file.read_text(errors="replace") for file in folder.glob("*.cl")}
        options = {file.stem: file.read_text().split() for file in folder.glob("*.options")}
    return gather(lines, texts, options)


def gather(lines: list[dict], texts: dict[str, str], options: dict[str, list[str]]) -> Recording:
    """Read the log: which plan used which kernel of which program, and how."""
    programs: dict[str, Program] = {}
    result = Recording([], {})
    plan: dict | None = None
    for line in lines:
        if "planning" in line:  # the plugin chooses here; the same programs come again below
            plan = None
        elif "declined" in line:
            plan, result.declined = None, result.declined + 1
        elif "variant" in line:
            plan = line
            variants = result.variants.setdefault(line["op"], {})
            variants[line["variant"]] = variants.get(line["variant"], False) or line["chosen"]
        elif plan is not None:
            program = programs.setdefault(line["program"], Program(texts[line["program"]], options[line["program"]]))
            dtype = plan["dtype"] + (" wide" if line["wide"] else "")
            name = line.get("kernel") or line["launch"]
            use = Use(plan["op"], plan["variant"], dtype, name, plan["case"])
            use = program.uses.setdefault(use.key, use)
            use.chosen |= plan["chosen"]
            if "launch" in line:
                use.launched = True
                use.group, use.local = max(use.group, line["group"]), max(use.local, line["local"])
                use.arguments = max(use.arguments, line["arguments"])
    result.programs = list(programs.values())
    launched = {(u.op, u.kernel) for p in result.programs for u in p.uses.values() if u.launched}
    made = {(u.op, u.kernel) for p in result.programs for u in p.uses.values()}
    result.idle = sorted(f"{op}: {kernel}" for op, kernel in made - launched)
    return result


def select(programs: list[Program], how: str) -> list[Program]:
    """Choose programs: a row of SELECTIONS.

    Of the programs that serve, those in float32 come first, then those that plans take by themselves, and then the longest source: it has the most in it.
    Of tapes that stand for others the shortest: a long one holds a special function, for which some compilers take half a minute.
    """

    def rank(program: Program, use: Use) -> tuple[bool, bool, int]:
        short = how == "few" and use.op in TAPES
        return use.dtype != "float32", not use.chosen, len(program.source) if short else -len(program.source)

    best: dict[tuple[str, ...], tuple[tuple[bool, bool, int], Program]] = {}
    for program in programs if how != "all" else []:
        for use in program.uses.values():
            keys: list[tuple[str, ...]] = []
            if how == "each" or not use.dtype.endswith(" wide"):
                keys.append(use.key if how == "each" else use.key[:3])
            if how != "few" and use.op in TAPES:
                keys.append((use.case.split(" ")[0],))
            for key in keys:
                candidate = (rank(program, use), program)
                if key not in best or candidate[0] < best[key][0]:
                    best[key] = candidate
    return programs if how == "all" else list({program.digest: program for _, program in best.values()}.values())
