"""Write the 1,797 handwritten digits that scikit-learn ships as IDX files, the format of MNIST, for examples/mlp_digits.cpp.

    python examples/export_digits.py [FOLDER]

Every fifth digit goes to the test files. Pixels are 0 … 16, as in the original (8×8, Alpaydin and Kaynak, "Optical recognition of
handwritten digits", UCI 1998).
"""

import argparse
import struct
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits


def write_idx(path: Path, array: np.ndarray) -> None:
    """Write unsigned bytes as IDX: two zero bytes, the code of the type (8), the rank, each size big-endian, the data."""
    header = struct.pack(f">BBBB{array.ndim}I", 0, 0, 8, array.ndim, *array.shape)
    path.write_bytes(header + array.astype(np.uint8).tobytes())


def main() -> None:
    """Write the four files."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("out/digits"))
    folder = parser.parse_args().folder
    folder.mkdir(parents=True, exist_ok=True)
    digits = load_digits()
    test = np.arange(len(digits.target)) % 5 == 4
    for name, chosen in (("train", ~test), ("test", test)):
        write_idx(folder / f"{name}-images.idx3-ubyte", digits.images[chosen])
        write_idx(folder / f"{name}-labels.idx1-ubyte", digits.target[chosen])
    print(f"{(~test).sum()} training and {test.sum()} test digits in {folder}")


if __name__ == "__main__":
    main()
