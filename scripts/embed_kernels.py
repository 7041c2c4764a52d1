#!/usr/bin/env python3
"""Write every file under kernels/ into one C++ source, as a table of (path, text).

Bytes are written as numbers, not as raw strings: a compiler may limit a string's length, and no kernel text can then end the literal.
"""

import argparse
from pathlib import Path


def main() -> None:
    """Read --root, write --out; the output changes only if the text does."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--root", type=Path, required=True, help="the kernels folder")
    parser.add_argument("--out", type=Path, required=True, help="the C++ file to write")
    args = parser.parse_args()

    files = sorted(p for p in args.root.rglob("*") if p.suffix in (".cl", ".h"))
    lines = [
        "// Generated from kernels/ by scripts/embed_kernels.py.",
        '#include "runtime/kernel_sources.hpp"',
        "namespace oncilla::ocl {",
        "namespace {",
    ]
    for i, path in enumerate(files):
        data = path.read_bytes()
        rows = [",".join(str(b) for b in data[k : k + 64]) for k in range(0, len(data), 64)]
        lines.append(f"const unsigned char file_{i}[] = {{{(',' + chr(10)).join([*rows, '0'])}}};")
    lines += ["const KernelSource table[] = {"]
    for i, path in enumerate(files):
        lines.append(
            f'    {{"{path.relative_to(args.root).as_posix()}", reinterpret_cast<const char*>(file_{i}), sizeof(file_{i}) - 1}},'
        )
    lines += [
        "};",
        "}  // namespace",
        "std::span<const KernelSource> kernel_sources() { return table; }",
        "}  // namespace oncilla::ocl",
        "",
    ]
    text = "\n".join(lines)
    if not args.out.exists() or args.out.read_text() != text:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text)


if __name__ == "__main__":
    main()
