"""What the homework gives you: the loss, the data, small helpers and ``record``. You need not change it.

Where the data comes from
-------------------------
``"full"`` (what the homework's questions are about) is in the folder ``data/`` beside this file: 22,000
images of Fashion-MNIST, and tiny Shakespeare. ``data/README.md`` says where they come from.

``"subset"``, also in ``data/``, is a small part that is good for trying things out; its accuracies and curves
are not those the questions ask about. Nothing is downloaded, and only numpy is needed.
"""

from __future__ import annotations

import ast
import base64
import datetime
import functools
import gzip
import hashlib
import json
import math
import os
import platform
import sys
import unicodedata
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

CLASSES = 10
TRAIN_PER_CLASS = 1000
VALIDATION_PER_CLASS = 200

FULL_FILE = "fashion_mnist.npz"
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
    if os.fspath(data_dir) in ("full", "subset"):
        train, validation, test = _embedded_split(FULL_FILE if os.fspath(data_dir) == "full" else SUBSET_FILE)
    else:
        train, validation, test = full_split(Path(data_dir))
    order = np.random.permutation(len(train[0]))
    train = (train[0][order], train[1][order])
    arrays: list[np.ndarray] = []
    for images, labels in (train, validation, test):
        arrays += [images / 255.0, labels.astype(int).reshape(-1, 1)]
    return tuple(arrays)


@functools.cache
def _embedded_split(name: str) -> list[tuple[np.ndarray, np.ndarray]]:
    with np.load(_embedded(name), allow_pickle=False) as file:
        return [(file[f"{part}_images"], file[f"{part}_labels"]) for part in ("train", "validation", "test")]


def full_split(folder: Path) -> list[tuple[np.ndarray, np.ndarray]]:
    """The first 1000 and the last 200 of each class of the train file, class after class; all test images."""
    images, labels, test_images, test_labels = (read_idx(_in_folder(folder, name)) for name in FASHION_MNIST)
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
    if os.fspath(data_dir) in ("full", "subset"):
        path = _embedded(FULL_TEXT if os.fspath(data_dir) == "full" else SUBSET_TEXT)
    else:
        path = _in_folder(Path(data_dir), FULL_TEXT)
    return path.read_text(encoding="utf-8")


# ---------------------------------------------------------------------------------------------------------
# Where files are
# ---------------------------------------------------------------------------------------------------------


def _embedded(name: str) -> Path:
    path = Path(__file__).resolve().parent / "data" / name
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing: put the homework's folder data/ beside utils.py")
    return path


def _in_folder(folder: Path, name: str) -> Path:
    found = next((path for path in (folder / name, folder / f"{name}.gz") if path.is_file()), None)
    if found is None:
        raise FileNotFoundError(f"{folder} holds neither {name} nor {name}.gz")
    return found


# ---------------------------------------------------------------------------------------------------------
# Evidence of a long run
#
# Nobody repeats your hour of training to grade it. Instead, ``record`` keeps the numbers behind a plot in the
# notebook, beside the picture. Among them are the first losses of the run and the weights at its end: grading
# computes from your seed where the run begins, and from the weights where it ends.
# ---------------------------------------------------------------------------------------------------------

EVIDENCE_TYPE = "application/vnd.chainrule.evidence+json"
EVIDENCE_FORMAT = "chainrule.evidence/1"
EVIDENCE_BYTES = 2_000_000


def record(item: str, figure: Any = None, text: str | None = None, **data: Any) -> None:
    """Show a figure and a text as usual, and keep ``data`` in this cell's output as evidence for ``item``.

    ``data`` may hold numbers, text, arrays, and lists and dictionaries of them, 2 MB in all; anything named
    "weights" is left out if there is no room for it. Kept with it are the notebook's parameters, digests of
    its functions, and the versions it ran with. Jupyter, VS Code and Colab save this like any other output.
    Outside a notebook nothing is shown or kept.
    """
    shell = _notebook()
    if shell is None:
        return
    if text is not None:
        data["text"] = text
    evidence = {
        "format": EVIDENCE_FORMAT,
        "item": item,
        "data": _plain(data, "data"),
        "parameters": _parameters(shell.user_ns),
        "code": _code(shell.user_ns.get("In", [])),
        "machine": _machine(),
        "run": os.urandom(16).hex(),
        "recorded_at": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),  # noqa: UP017
    }
    size = len(json.dumps(evidence))
    if size > EVIDENCE_BYTES:
        evidence["data"] = _without_weights(evidence["data"])
        size = len(json.dumps(evidence))
    if size > EVIDENCE_BYTES:
        raise ValueError(
            f"the evidence for {item} takes {size:,} bytes, and {EVIDENCE_BYTES:,} can be kept: "
            "record a number for each epoch or evaluation, not for each step"
        )
    if text is not None:
        print(text)
    _show(shell, figure, evidence)


def student_seed(student: str) -> int:
    """A seed of your own, from your id: for courses in which no two students' runs begin alike."""
    name = unicodedata.normalize("NFKC", student).strip().casefold()
    if not name:
        raise ValueError("write your own id into STUDENT")
    return int.from_bytes(hashlib.sha256(name.encode("utf-8", "surrogatepass")).digest()[:4], "big")


def _notebook() -> Any:
    """IPython's shell, which runs a notebook's cells; None in a plain Python program."""
    ipython = sys.modules.get("IPython")
    return None if ipython is None else ipython.get_ipython()


def _show(shell: Any, figure: Any, evidence: dict[str, Any]) -> None:
    """Display the figure as the notebook always does, with the evidence in the same output."""
    bundle, metadata = {"text/plain": f"Recorded for {evidence['item']}."}, {}
    if figure is not None:
        bundle, metadata = shell.display_formatter.format(figure)
        sys.modules["matplotlib.pyplot"].close(figure)  # or the cell would show it once more at its end
    shell.display_pub.publish({**bundle, EVIDENCE_TYPE: evidence}, metadata)


def _plain(value: Any, where: str) -> Any:
    """The value in JSON's own types: arrays as lists, infinities and NaN by their names.

    Raises TypeError, naming the place, for what is neither number nor text nor a collection of them.
    """
    if hasattr(value, "tolist"):  # arrays, tensors, and the numbers in them
        value = value.tolist()
    if isinstance(value, float) and not math.isfinite(value):
        return json.dumps(value)  # JSON has no number for it: "NaN", "Infinity" or "-Infinity"
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(entry, f"{where}[{position}]") for position, entry in enumerate(value)]
    if isinstance(value, dict):
        return {str(key): _plain(entry, f"{where}[{key!r}]") for key, entry in value.items()}
    kind = type(value).__name__
    raise TypeError(f"record keeps numbers, text, arrays, lists and dictionaries: {where} is of type {kind}")


def _without_weights(value: Any) -> Any:
    """The value without what stands under "weights" in it."""
    if isinstance(value, dict):
        return {key: _without_weights(entry) for key, entry in value.items() if key != "weights"}
    return value


def _parameters(names: Mapping[str, Any]) -> dict[str, Any]:
    """The notebook's UPPER_CASE names that are numbers, texts or short lists of them: at most 100."""

    def is_parameter(value: Any) -> bool:
        values = value if isinstance(value, list) else [value]
        return len(values) <= 100 and all(isinstance(entry, (bool, int, float, str)) for entry in values)

    found = [name for name in names if name.isupper() and name[0] != "_" and is_parameter(names[name])]
    return {name: _plain(names[name], name) for name in found[:100]}


def _code(cells: Iterable[str]) -> dict[str, str]:
    """A digest of each function's and class's source text, as last executed: at most 200."""
    found = {}
    for cell in cells:
        try:
            tree = ast.parse(cell)
        except (SyntaxError, ValueError):
            continue
        for node in tree.body:
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                source = ast.get_source_segment(cell, node) or ""
                stripped = "\n".join(line.rstrip() for line in source.splitlines())
                found[node.name] = hashlib.sha256(stripped.encode()).hexdigest()[:16]
    return dict(list(found.items())[:200])


def _machine() -> dict[str, str]:
    """What the last digits of a float depend on: the processor and the versions."""
    machine = {"cpu": _processor(), "python": platform.python_version(), "numpy": np.__version__}
    torch = sys.modules.get("torch")
    if torch is not None:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        machine |= {"torch": str(torch.__version__), "device": device}
    return machine


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:  # not Linux
        lines = []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor() or platform.machine())


def pack_weights(weights: Mapping[str, Any], kind: str = "int8") -> dict[str, Any]:
    """Arrays or tensors by their names, in little room, for ``record(..., weights=pack_weights(...))``.

    ``kind`` is "float32", "float16" or "int8": whole numbers up to 127 with one scale for each row, a quarter
    of the room of float32 and near enough for a loss to stay the same to four digits. What is no array of
    numbers becomes None: a long run must not fail at its end.
    """
    return {name: _packed(value, kind) for name, value in weights.items()}


def _packed(value: Any, kind: str) -> dict[str, Any] | None:
    try:
        if hasattr(value, "detach"):  # a tensor, perhaps on a GPU
            value = value.detach().cpu().numpy()
        array = np.asarray(value, dtype=np.float32)
    except (TypeError, ValueError, RuntimeError):
        return None
    packed: dict[str, Any] = {"shape": list(array.shape), "type": kind}
    if kind == "int8":
        rows = array.reshape(array.shape[0] if array.ndim > 1 else 1, -1)
        largest = np.abs(rows).max(axis=1, initial=0.0, keepdims=True)
        scale = np.where(largest == 0, 1, largest / 127).astype("<f4")  # NaN where training broke down
        packed["scale"] = base64.b64encode(scale.tobytes()).decode()
        with np.errstate(invalid="ignore"):
            array = np.rint(np.nan_to_num(rows / scale))
    dtype = {"float32": "<f4", "float16": "<f2", "int8": "|i1"}[kind]
    packed["data"] = base64.b64encode(array.astype(dtype).tobytes()).decode()
    return packed


def weights_of(model: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters of the network of part 3, by the names of their layers and their own, as in "L1.W"."""
    return {
        f"{layer}.{name}": value
        for layer, module in model.items()
        if hasattr(module, "params")
        for name, value in module.params.items()
    }


class FirstSteps:
    """The losses of a run's first steps, and what was drawn at random for each: rows, or places in a text."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.losses: list[float] = []
        self.draws: list[list[int]] = []

    def add(self, loss: Any, draws: Any) -> None:
        """Take a step's loss and the numbers that were drawn for it, an array or a tensor."""
        if len(self.losses) < self.steps:
            self.losses.append(loss.item() if hasattr(loss, "item") else float(loss))
            self.draws.append(draws.tolist())

    def as_data(self) -> dict[str, Any]:
        """What ``record`` keeps."""
        return {"losses": self.losses, "draws": self.draws}
