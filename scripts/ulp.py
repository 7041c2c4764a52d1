"""Measure the error of every floating row of elementwise.def on OpenCL implementations, and write docs/numerics.md.

Rows of one operand are evaluated over float32 values, one of every --stride (4096 by default; 1 is all of them and takes hours, so name a row with --op),
others and float64 over samples. float32 results are compared with float64 functions of NumPy and SciPy, float64 results with mpmath's at 40 digits. The unit
is the distance between neighbouring numbers at the exact result (ULP). PyTorch's own CPU functions are measured on the same operands. float16 and bfloat16
results must be float32's, rounded once.

The limit of a row is that of the OpenCL specification's full profile (section 7.4), for a row that OpenCL does not have the number in ulp_rows.py, or
PyTorch's own error where that is larger, up to twice the limit. Where PyTorch has the function, NaN and infinities must be where PyTorch's are. Exits with 1 when a limit is passed.
"""

import argparse
import subprocess
import sys
import time
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
import ulp_page as page
from ulp_measure import REFERENCE_LIMIT, ROOT, Result, Runtime, measure, reference_doubt
from ulp_rows import EXCEPTIONS, Row, rows, without_reference


def judge_all(result: Result, table: Mapping[str, Row], tell: bool) -> tuple[int, int]:
    """Print what is beyond its limit; count what is within and what is not."""
    passed = failed = 0

    def count(bad: bool) -> None:
        nonlocal passed, failed
        passed, failed = passed + (not bad), failed + bad

    for (name, dtype, runtime), worst in result.worst.items():
        most, whose = page.limit(table[name], dtype, worst)
        bad = worst.error > EXCEPTIONS.get((name, dtype, runtime), most) or bool(worst.astray)
        count(bad)
        if bad or tell:
            at = ", ".join(repr(v) for v in worst.at)
            print(
                f"{'FAILED' if bad else 'ok'}: {name} {dtype} {runtime}: {worst.error:.4g} ULP at {at}; limit {most:.4g} ({whose}), PyTorch {worst.torch:.4g}"
            )
            for line in worst.astray:
                print(f"  {line}")
        if dtype == "float32" and worst.error > 0:
            doubt = reference_doubt(table[name], worst.at)
            if doubt is None:
                print(f"{name}: too many digits for a reference at {worst.at}")
            elif doubt > result.references[name]:
                result.references[name] = doubt
    for (name, dtype, runtime), lines in result.halves.items():
        count(bool(lines))
        if lines:
            print(f"FAILED: {name} {dtype} {runtime}: {len(lines)} results are not float32's rounded once; {lines[0]}")
    for name, error in result.references.items():
        count(error > REFERENCE_LIMIT)
        if error > REFERENCE_LIMIT or tell:
            print(
                f"{'FAILED' if error > REFERENCE_LIMIT else 'ok'}: {name}: its float64 reference is off by {error:.3g} of float32's ULP"
            )
    return passed, failed


def chosen(every: Mapping[str, Row], names: Sequence[str]) -> list[Row]:
    """Give the rows asked for."""
    unknown = [n for n in names if n not in every]
    if unknown:
        sys.exit(f"ulp: no floating row called {', '.join(unknown)}")
    return [r for r in every.values() if not names or r.name in names]


def main() -> int:
    """Measure, write, and say which limits are passed."""
    parser = argparse.ArgumentParser(prog="scripts/ulp", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--runtime",
        action="append",
        choices=["pocl", "intel", "rusticl", "reference"],
        help="one to measure; may repeat (default: pocl)",
    )
    parser.add_argument("--stride", type=int, default=4096, help="every how many float32 values; 1 is all (default: %(default)s)")
    parser.add_argument("--op", action="append", default=[], help="only this row; may repeat")
    parser.add_argument(
        "--tool", type=Path, default=ROOT / "build" / "release" / "bin" / "evaluate_rows", help="the program that evaluates rows"
    )
    parser.add_argument("--write", action="store_true", help="write docs/numerics.md and its picture")
    args = parser.parse_args()
    if args.stride < 1 or args.stride & (args.stride - 1):
        parser.error("--stride is a power of two")
    if args.write and args.op:
        parser.error("--write takes all rows: the page comes from one run")
    if not args.tool.exists():
        parser.error(f"{args.tool} is not built: run scripts/test build first, or give --tool")
    warnings.simplefilter("ignore")
    np.seterr(all="ignore")
    torch.set_num_threads(1)
    begin = time.monotonic()
    runtimes = [Runtime(name, args.tool) for name in dict.fromkeys(args.runtime or ["pocl"])]
    listing = subprocess.run([args.tool, "--list"], capture_output=True, text=True, check=True).stdout
    every = rows(listing)
    result = measure(runtimes, chosen(every, args.op), args.stride)
    passed, failed = judge_all(result, every, bool(args.op))
    missing = without_reference(listing, every)
    if missing:
        print(f"not measured, since scripts/ulp_rows.py has no reference: {', '.join(missing)}")
    if args.write:
        page.write(ROOT / "docs" / "numerics.md", ROOT / "docs" / "numerics.png", runtimes, every, result, args.stride, missing)
    spent = "; ".join(f"{r.name} evaluated for {r.seconds:.0f} s" for r in runtimes)
    print(f"{len(every) if not args.op else len(args.op)} rows in {time.monotonic() - begin:.0f} s; {spent}")
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
