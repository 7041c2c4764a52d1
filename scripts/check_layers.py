#!/usr/bin/env python3
"""Enforce the layers: reads every #include of the tree and reports those that point the wrong way.

A layer is a folder; it may include itself and the layers named in LAYERS. Includes in angle brackets are the system's and are left alone, except
OpenCL's and the host frameworks', which are allowed in a few layers only. Prints "layers ok", or each violation as file:line, and then exits 1.

With --self-test it first breaks each rule in a made-up tree and checks that it notices.
"""

import argparse
import re
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ABI = "include/oncilla"
KIT = "src/backend/kit"
OCL = "src/backend/opencl"
CORE = "src/core"
RUNTIME = f"{OCL}/runtime"
TUNING = f"{OCL}/tuning"
OPS = "test/ops"
SPECIAL = "kernels/lib/special"

# Layer: the layers that it may include besides itself. The nearest folder above a file decides which layer the file is in.
LAYERS: dict[str, list[str]] = {
    ABI: [],
    KIT: [ABI],
    "src/backend/reference": [ABI, KIT, SPECIAL],
    RUNTIME: [ABI, KIT, TUNING],
    TUNING: [],
    f"{OCL}/expr": [ABI, KIT, RUNTIME],
    f"{OCL}/gemm": [ABI, KIT, RUNTIME, f"{OCL}/expr"],
    f"{OCL}/conv": [ABI, KIT, RUNTIME, f"{OCL}/expr", f"{OCL}/gemm"],
    f"{OCL}/ops": [ABI, KIT, RUNTIME, f"{OCL}/expr", f"{OCL}/gemm", f"{OCL}/conv"],
    f"{OCL}/abi": [ABI, KIT, RUNTIME, f"{OCL}/ops"],
    CORE: [ABI, SPECIAL],
    "src/tensor": [ABI, CORE],
    "src/torch": [ABI, CORE],
    "src/tools": [ABI, CORE, OPS],
    "examples": [ABI, CORE],
    # A plugin outside the tree, as its author sees it: an installation has the kit.
    "examples/plugin": [ABI, KIT],
    "bench": [ABI, CORE],
    "test": [ABI, CORE],
    # The case tables and their runner, which the oncilla command carries.
    OPS: [ABI, CORE],
    # A broken OpenCL runtime, as a layer of the loader.
    "test/layer": [],
    # The kit's own tests, and plugins made to misbehave, are written with it.
    "test/abi": [ABI, CORE, KIT],
    # An OpenCL implementation, seen by the plugin through the loader only.
    "test/recorder": [],
    "kernels": [],
    # Functions that rows of elementwise.def call: OpenCL C and C++ alike.
    SPECIAL: [],
}

# Headers of others that only some layers may see: pattern, the layers, what to say.
FOREIGN: list[tuple[str, tuple[str, ...], str]] = [
    (
        r"(CL|clblast)/|clblast|clblast\.h|clblast_c\.h",
        (RUNTIME, f"{OCL}/gemm", "test/layer", "test/recorder"),
        "OpenCL and CLBlast headers belong in the opencl plugin's runtime and gemm",
    ),
    (r"(torch|ATen|c10|pybind11)/|Python\.h", ("src/torch",), "PyTorch's and Python's headers belong in the adapter"),
    (r"Eigen/", ("src/backend/reference",), "Eigen belongs in the reference plugin"),
]

# Where a quoted include is looked for, besides the including file's own folder and its plugin's.
ROOTS = ["include", "src", "src/backend", "src/torch", "test", "kernels", "kernels/lib", "."]
SUFFIXES = {".cpp", ".hpp", ".h", ".c", ".cl", ".def", ".inc"}
INCLUDE = re.compile(r'^\s*#\s*include\s+(?:"([^"]+)"|<([^>]+)>)')


def layer_of(path: Path) -> str | None:
    """Return the layer that holds a path relative to the tree's root, the deepest if several do."""
    folders = [p.as_posix() for p in path.parents]
    return next((f for f in folders if f in LAYERS), None)


def resolve(root: Path, source: Path, name: str) -> Path | None:
    """Return the file that a quoted include names, relative to the root; nothing if it is not in the tree (a generated or a system's file)."""
    plugin = [Path(*source.parts[:3])] if source.parts[:2] == ("src", "backend") else []
    for folder in [source.parent, *plugin, *(Path(r) for r in ROOTS)]:
        candidate = (root / folder / name).resolve()
        if candidate.is_file() and candidate.is_relative_to(root):
            return candidate.relative_to(root)
    return None


def violations(root: Path) -> Iterator[str]:
    """Yield one line for each include that breaks a rule."""
    root = root.resolve()
    tops = {layer.split("/")[0] for layer in LAYERS}
    files = sorted(f for top in tops for f in (root / top).rglob("*") if f.suffix in SUFFIXES and f.is_file())
    for file in files:
        source = file.relative_to(root)
        layer = layer_of(source)
        if layer is None:
            yield f"{source}:1: is in no layer; name its folder in scripts/check_layers.py and docs/design.md"
            continue
        for number, line in enumerate(file.read_text(errors="replace").splitlines(), 1):
            match = INCLUDE.match(line)
            if match is None:
                continue
            name = match[1] or match[2]
            for pattern, allowed, why in FOREIGN:
                if re.match(pattern, name) and layer not in allowed:
                    yield f"{source}:{number}: {layer} includes {name}: {why}"
            target = resolve(root, source, name) if match[1] or name.startswith("oncilla/") else None
            other = layer_of(target) if target else None
            if other is not None and other != layer and other not in LAYERS[layer]:
                yield f"{source}:{number}: {layer} may not include {name}, which is in {other}"


def self_test() -> None:
    """Break the rules one by one in a made-up tree; raise AssertionError where that goes unnoticed."""
    good = {
        "include/oncilla/oncilla.h": "",
        "src/backend/kit/desc.hpp": '#include "oncilla/oncilla.h"\n',
        f"{RUNTIME}/device.hpp": '#include <CL/opencl.hpp>\n#include "kit/desc.hpp"\n',
        f"{OCL}/ops/softmax.cpp": '#include "runtime/device.hpp"\n#include "ops/ops.hpp"\n',
        f"{OCL}/ops/ops.hpp": "",
        "src/core/device.hpp": '#include "oncilla/oncilla.h"\n',
        "src/torch/ops.cpp": '#include <ATen/ATen.h>\n#include "core/device.hpp"\n',
        "test/unit/device.cpp": '#include "core/device.hpp"\n',
    }
    bad = {
        "include/oncilla/attrs.h": '#include "../../src/core/device.hpp"\n',
        "src/backend/kit/error.cpp": '#include "core/device.hpp"\n',
        "src/core/backend.cpp": '#include "kit/desc.hpp"\n',
        "src/core/op.cpp": "#  include <CL/cl.h>\n",
        f"{RUNTIME}/device.cpp": '#include "ops/ops.hpp"\n',
        f"{OCL}/ops/matmul.cpp": "#include <clblast.h>\n",
        "src/torch/device.cpp": '#include "backend/opencl/runtime/device.hpp"\n',
        "test/unit/desc.cpp": '#include "backend/kit/desc.hpp"\n',
        "src/elsewhere/x.cpp": "",
        "src/backend/reference/x.cpp": "#include <torch/torch.h>\n",
    }
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def write(files: dict[str, str]) -> None:
            for name, content in files.items():
                (root / name).parent.mkdir(parents=True, exist_ok=True)
                (root / name).write_text(content)

        write(good)
        assert list(violations(root)) == [], list(violations(root))
        for name, content in bad.items():
            write({name: content})
            found = list(violations(root))
            assert len(found) == 1 and found[0].startswith(f"{name}:1: "), (name, found)
            (root / name).unlink()


def main() -> int:
    """Check the tree that holds this script."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--self-test", action="store_true", help="check the checker first")
    parser.add_argument("--root", type=Path, default=Path(__file__).resolve().parent.parent)
    args = parser.parse_args()
    if args.self_test:
        self_test()
    found = list(violations(args.root))
    print("\n".join(found) if found else "layers ok")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
