"""What the homework gives you: the softmax loss, the data and three small helpers. You need not change it.

Where the data comes from
-------------------------
``"full"`` (what the homework's questions are about) is looked for in this order: the folder that the
environment variable CHAINRULE_DATA names, then this computer's cache, then the network, once, with the
SHA-256 of every file checked. On Debian and Ubuntu ``apt install dataset-fashion-mnist`` puts the images in
/usr/share/datasets/fashion-mnist.

``"subset"`` is the small set in ``data/`` beside this file. It needs no network and is good for trying things
out; its accuracies and curves are not those the questions ask about.

Only numpy is needed, and pooch (``pip install pooch``) for a download.
"""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = 10
TRAIN_PER_CLASS = 1000
VALIDATION_PER_CLASS = 200

SUBSET_FILE = "fashion_mnist_subset.npz"
SUBSET_TEXT = "macbeth.txt"
FULL_TEXT = "tinyshakespeare.txt"

# SHA-256 of the DEcompressed files: mirrors may compress them differently.
FASHION_MNIST = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
TINY_SHAKESPEARE = "86c4e6aa9db7c042ec79f339dcb96d42b0075e16b8fc2e86bf0ca57e2dc565ed"

FASHION_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
TEXT_URL = "https://raw.githubusercontent.com/karpathy/char-rnn/master/data/tinyshakespeare/input.txt"


# ---------------------------------------------------------------------------------------------------------
# The loss
# ---------------------------------------------------------------------------------------------------------


class softmax_cross_entropy:
    """Softmax followed by the cross-entropy, averaged over the N examples of a mini-batch.

    With scores x (one row of X) of an example of class y:  p_k = exp(x_k) / sum_j exp(x_j),  loss = -log p_y.
    """

    def forward(self, X: np.ndarray, Y: np.ndarray) -> float:
        """Mean loss of scores X (N, K) for labels Y (N, 1)."""
        return float(-np.mean(self._log_softmax(X)[self._entries(X, Y)]))

    def backward(self, X: np.ndarray, Y: np.ndarray) -> np.ndarray:
        """Gradient of the mean loss with respect to X: an (N, K) array. The 1/N is already in it."""
        grad: np.ndarray = np.exp(self._log_softmax(X))
        grad[self._entries(X, Y)] -= 1.0
        grad /= X.shape[0]
        return grad

    @staticmethod
    def _log_softmax(X: np.ndarray) -> np.ndarray:
        shifted: np.ndarray = X - X.max(axis=1, keepdims=True)  # the same result, but exp cannot overflow
        shifted -= np.log(np.exp(shifted).sum(axis=1, keepdims=True))
        return shifted

    @staticmethod
    def _entries(X: np.ndarray, Y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.arange(X.shape[0]), np.asarray(Y).reshape(-1).astype(int)


# ---------------------------------------------------------------------------------------------------------
# Helpers
# ---------------------------------------------------------------------------------------------------------


def predict_label(f: np.ndarray) -> np.ndarray:
    """The class with the highest score in each row of f (N, K), as an (N, 1) array."""
    labels: np.ndarray = np.argmax(f, axis=1).reshape(-1, 1)
    return labels


def add_momentum(model: dict[str, Any]) -> dict[tuple[str, str], np.ndarray]:
    """A velocity of 0 for every parameter of the model, by the names of its layer and of itself."""
    return {
        (layer, name): np.zeros_like(value)
        for layer, module in model.items()
        if hasattr(module, "params")
        for name, value in module.params.items()
    }


class DataSplit:
    """Examples X (N, d) with their labels Y (N, 1)."""

    def __init__(self, X: np.ndarray, Y: np.ndarray) -> None:
        self.X = X
        self.Y = Y
        self.N, self.d = X.shape

    def get_example(self, idx: Any) -> tuple[np.ndarray, np.ndarray]:
        """The rows of X and Y whose numbers are in ``idx`` (a list or an array of integers)."""
        return self.X[idx], self.Y[idx]


# ---------------------------------------------------------------------------------------------------------
# Fashion-MNIST
# ---------------------------------------------------------------------------------------------------------


def data_loader_mnist(data_dir: str | os.PathLike[str] = "full") -> tuple[np.ndarray, ...]:
    """Xtrain, Ytrain, Xval, Yval, Xtest, Ytest of Fashion-MNIST.

    X is float64 (N, 784) in [0, 1], Y is int (N, 1). ``data_dir`` is "full", "subset" or a folder with the
    four original files. The training set is shuffled with one ``np.random.permutation``: call
    ``np.random.seed`` before, and the order is the same each time.
    """
    if os.fspath(data_dir) == "subset":
        train, validation, test = _subset()
    else:
        train, validation, test = _full_split(None if os.fspath(data_dir) == "full" else Path(data_dir))
    order = np.random.permutation(len(train[0]))
    train = (train[0][order], train[1][order])
    arrays: list[np.ndarray] = []
    for images, labels in (train, validation, test):
        arrays += [images / 255.0, labels.astype(int).reshape(-1, 1)]
    return tuple(arrays)


def _subset() -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(_embedded(SUBSET_FILE), allow_pickle=False) as file:
        return [(file[f"{part}_images"], file[f"{part}_labels"]) for part in ("train", "validation", "test")]


def _full_split(folder: Path | None) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first 1000 and the last 200 of each class of the train file, class after class; all test images."""
    images, labels, test_images, test_labels = (
        read_idx(_full_file(name, FASHION_URL + name + ".gz", sha256, folder))
        for name, sha256 in FASHION_MNIST.items()
    )
    of_class = [np.flatnonzero(labels == k) for k in range(CLASSES)]
    train = np.concatenate([found[:TRAIN_PER_CLASS] for found in of_class])
    validation = np.concatenate([found[-VALIDATION_PER_CLASS:] for found in of_class])
    return [
        (images[train], labels[train]),
        (images[validation], labels[validation]),
        (test_images, test_labels),
    ]


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The uint8 array in an IDX file, gzipped or not: images as (N, 784), labels as (N,)."""
    data = Path(path).read_bytes()
    if data[:2] == b"\x1f\x8b":
        data = gzip.decompress(data)
    if data[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an IDX file of bytes: it begins with {data[:4]!r}")
    dimensions = data[3]
    start = 4 + 4 * dimensions
    shape = np.frombuffer(data[4:start], dtype=">u4").astype(int)
    array = np.frombuffer(data, dtype=np.uint8, offset=start)
    return array.reshape(shape[0], -1) if dimensions > 1 else array


# ---------------------------------------------------------------------------------------------------------
# Shakespeare
# ---------------------------------------------------------------------------------------------------------


def load_text(data_dir: str | os.PathLike[str] = "full") -> str:
    """The text for the transformer: tiny Shakespeare for "full" or a folder that holds it, else Macbeth."""
    if os.fspath(data_dir) == "subset":
        path = _embedded(SUBSET_TEXT)
    else:
        folder = None if os.fspath(data_dir) == "full" else Path(data_dir)
        path = _full_file(FULL_TEXT, TEXT_URL, TINY_SHAKESPEARE, folder)
    return path.read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------
# Where files are
# ---------------------------------------------------------------------------------------------------------


def _embedded(name: str) -> Path:
    path = Path(__file__).resolve().parent / "data" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: put the homework's folder data/ beside utils.py")
    return path


def _full_file(name: str, url: str, sha256: str, folder: Path | None) -> Path:
    """A file of the full sets: from ``folder`` if given, else from CHAINRULE_DATA, else downloaded once."""
    if folder is not None:
        found = _in_folder(folder, name)
        if found is None:
            raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")
        return found
    given = os.environ.get("CHAINRULE_DATA")
    found = _in_folder(Path(given), name) if given else None
    return found or download(name, url, sha256)


def _in_folder(folder: Path, name: str) -> Path | None:
    return next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)


def download(name: str, url: str, sha256: str, cache: str | os.PathLike[str] | None = None) -> Path:
    """The file behind ``url``, unpacked, from the cache or fetched once; ``sha256`` is of its unpacked bytes.

    Raises FileNotFoundError that says what to do when there is no network.
    """
    advice = (
        f"{name} was not found and could not be downloaded from {url}. Set the environment variable "
        f'CHAINRULE_DATA to a folder that holds it, or use DATA = "subset" to work with the small set.'
    )
    try:
        import pooch  # noqa: PLC0415  # only a download needs it
    except ImportError:
        raise FileNotFoundError(f"{advice} (A download needs pooch: pip install pooch)") from None

    def fetch(address: str, output_file: Any, registry: Any) -> None:
        pooch.HTTPDownloader(timeout=30)(address, output_file, registry)
        data = Path(output_file).read_bytes()
        if address.endswith(".gz"):
            Path(output_file).write_bytes(gzip.decompress(data))

    folder = cache if cache is not None else pooch.os_cache("chainrule")
    try:
        path = pooch.retrieve(url, f"sha256:{sha256}", fname=name, path=folder, downloader=fetch)
    except OSError as error:  # requests' errors are OSErrors
        raise FileNotFoundError(f"{advice} ({type(error).__name__})") from error
    return Path(path)
