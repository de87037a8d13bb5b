"""What students are given: the loss, the loaders and the data."""

from __future__ import annotations

import gzip
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.reference_files import REFERENCE, load

from grader.inside.media_types import EVIDENCE, MAX_RECORDING

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=10,
)


@pytest.fixture(scope="module")
def utils() -> ModuleType:
    return load("utils")


def write_idx(path: Path, array: np.ndarray) -> None:
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, dtype=">u4").tobytes()
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def small_full_set(utils: ModuleType, tmp_path: Path) -> Path:
    """A folder like the full set: 1,205 images of each class in the train file, each with its own picture."""
    labels = np.tile(np.arange(10, dtype=np.uint8), 1205)
    images = np.zeros((len(labels), 2, 2), dtype=np.uint8)
    images[:, 0, 0], images[:, 0, 1], images[:, 1, 0] = (
        labels,
        np.arange(len(labels)) // 256,
        np.arange(len(labels)) % 256,
    )
    for name, array in zip(utils.FASHION_MNIST, (images, labels, images[:30], labels[:30]), strict=True):
        write_idx(tmp_path / f"{name}.gz", array)
    return tmp_path


def test_recordings_are_named_as_the_grader_knows_them(utils: ModuleType) -> None:
    """The students' file imports nothing of ours, so two places hold the name; what it records is taken."""
    assert utils.EVIDENCE_TYPE == EVIDENCE
    assert utils.EVIDENCE_BYTES <= MAX_RECORDING


def test_softmax_cross_entropy_is_the_mean_loss_and_its_gradient(utils: ModuleType) -> None:
    rng = np.random.default_rng(1)
    scores, labels = rng.normal(size=(4, 3)), np.array([[0], [2], [1], [2]])
    loss = utils.softmax_cross_entropy()
    chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    expected = -np.log(chances[np.arange(4), labels[:, 0]]).mean()
    assert loss.forward(scores, labels) == pytest.approx(expected)
    estimate = np.zeros_like(scores)
    for index in np.ndindex(scores.shape):
        step = np.zeros_like(scores)
        step[index] = 1e-5
        estimate[index] = (loss.forward(scores + step, labels) - loss.forward(scores - step, labels)) / 2e-5
    np.testing.assert_allclose(loss.backward(scores, labels), estimate, atol=1e-9)


def test_softmax_cross_entropy_survives_large_scores_and_leaves_them(utils: ModuleType) -> None:
    scores = np.array([[1e4, -1e4]])
    loss = utils.softmax_cross_entropy()
    assert loss.forward(scores, np.array([[1]])) == pytest.approx(2e4)
    np.testing.assert_allclose(loss.backward(scores, np.array([[1]])), [[1.0, -1.0]])
    assert scores.tolist() == [[1e4, -1e4]]


def test_labels_are_columns_and_examples_rows(utils: ModuleType) -> None:
    split = utils.DataSplit(np.arange(12.0).reshape(4, 3), np.arange(4).reshape(4, 1))
    x, y = split.get_example([2])
    assert (split.N, split.d, x.shape, y.shape) == (4, 3, (1, 3), (1, 1))
    assert utils.predict_label(np.array([[0.1, 0.9], [3.0, 2.0]])).tolist() == [[1], [0]]


def test_the_subset_is_balanced_scaled_and_in_columns(utils: ModuleType) -> None:
    np.random.seed(42)
    Xtrain, Ytrain, Xval, Yval, Xtest, Ytest = utils.data_loader_mnist("subset")
    for X, Y, each in ((Xtrain, Ytrain, 80), (Xval, Yval, 20), (Xtest, Ytest, 30)):
        assert (X.shape, Y.shape) == ((10 * each, 784), (10 * each, 1))
        assert (X.dtype, X.min(), X.max()) == (np.float64, 0.0, 1.0)
        assert np.bincount(Y[:, 0]).tolist() == [each] * 10


def test_what_a_cell_writes_into_its_arrays_is_nobody_elses(utils: ModuleType) -> None:
    """Students scale and shift the sets in place, which must work and change nothing for later calls."""
    first, second = (utils.data_loader_mnist("subset") for _ in range(2))
    for array, other in zip(first, second, strict=True):
        np.add(array, 1, out=array)
        assert not np.shares_memory(array, other)


def test_the_training_set_is_shuffled_with_one_permutation(utils: ModuleType) -> None:
    np.random.seed(42)
    Y = utils.data_loader_mnist("subset")[1]
    after = np.random.random()
    np.random.seed(42)
    order = np.random.permutation(800)
    assert after == np.random.random()
    assert np.array_equal(Y[:, 0], np.repeat(np.arange(10), 80)[order])


def test_the_full_split_is_the_first_1000_and_last_200_of_each_class(
    utils: ModuleType, small_full_set: Path
) -> None:
    np.random.seed(0)
    Xtrain, Ytrain, Xval, Yval, Xtest, Ytest = utils.data_loader_mnist(small_full_set)
    assert (Xtrain.shape, Xval.shape, Xtest.shape) == ((10_000, 4), (2_000, 4), (30, 4))
    position = np.rint(Xtrain * 255)[:, 1:3] @ [256, 1]
    assert sorted(position) == list(range(10_000))
    assert np.array_equal(position % 10, Ytrain[:, 0])
    last = np.rint(Xval * 255)[:, 1:3] @ [256, 1]
    assert sorted(last) == list(range(10_050, 12_050))
    assert np.array_equal(Yval[:, 0], np.repeat(np.arange(10), 200))
    assert np.array_equal(Ytest[:, 0], np.tile(np.arange(10), 3))


def test_a_folder_without_the_files_is_named(utils: ModuleType, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"holds neither train-images-idx3-ubyte nor"):
        utils.data_loader_mnist(tmp_path)
    with pytest.raises(FileNotFoundError, match=r"tinyshakespeare\.txt"):
        utils.load_text(tmp_path)


def test_a_file_that_is_not_idx_is_refused(utils: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "page").write_text("<html>not found</html>")
    with pytest.raises(ValueError, match="not an IDX file"):
        utils.read_idx(tmp_path / "page")


def test_the_full_sets_lie_beside_the_notebook(utils: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """No network, no cache, no variable: an upload of the folder is enough."""
    monkeypatch.setenv("CHAINRULE_DATA", "/nowhere")
    np.random.seed(42)
    Xtrain, Ytrain, Xval, Yval, Xtest, Ytest = utils.data_loader_mnist("full")
    for X, Y, each in ((Xtrain, Ytrain, 1000), (Xval, Yval, 200), (Xtest, Ytest, 1000)):
        assert (X.shape, Y.shape, X.min(), X.max()) == ((10 * each, 784), (10 * each, 1), 0.0, 1.0)
        assert np.bincount(Y[:, 0]).tolist() == [each] * 10
    text = utils.load_text("full")
    assert (len(text), len(set(text))) == (1_115_394, 65)


def test_the_embedded_files_are_small_and_plain(utils: ModuleType) -> None:
    data = REFERENCE / "data"
    assert sum(path.stat().st_size for path in data.iterdir()) < 12_000_000
    for name in (utils.FULL_FILE, utils.SUBSET_FILE):
        with np.load(data / name, allow_pickle=False) as arrays:
            assert {arrays[array].dtype for array in arrays.files} == {np.dtype(np.uint8)}


def test_the_small_part_is_a_part_of_the_full_set(utils: ModuleType) -> None:
    data = REFERENCE / "data"
    with np.load(data / utils.FULL_FILE) as full, np.load(data / utils.SUBSET_FILE) as part:
        images = full["train_images"].reshape(10, 1000, 784)[:, :80].reshape(800, 784)
        assert np.array_equal(part["train_images"], images)


def test_the_embedded_text_is_a_play_in_the_layout_of_tiny_shakespeare(utils: ModuleType) -> None:
    text = utils.load_text("subset")
    assert (len(text), len(set(text))) == (95_913, 62)
    assert text.startswith("First Witch:\nWhen shall we three meet again\n")
    assert "\n\nLADY MACBETH:\nOut, damned spot! out, I say!" in text
    assert "\n\n\n" not in text


def test_the_maker_turns_markdown_into_speeches(monkeypatch: pytest.MonkeyPatch, utils: ModuleType) -> None:
    monkeypatch.setitem(sys.modules, "utils", utils)
    make_data = load("make_data")
    markdown = (
        "# Play\n\n## ACT I\n\n_Enter A and\nB_\n\n**A**  \nOne line,  \n[_Aside_] two.\n\n"
        "_Exit_\n\n**B & C**  \n_Sings_\nThree.\n"
    )
    assert make_data.plain_play(markdown) == "A:\nOne line,\ntwo.\n\nB & C:\n\nThree.\n"


def test_the_maker_writes_the_same_bytes_each_time(
    monkeypatch: pytest.MonkeyPatch, utils: ModuleType, small_full_set: Path, tmp_path: Path
) -> None:
    monkeypatch.setitem(sys.modules, "utils", utils)
    make_data = load("make_data")
    arrays = make_data.fashion_subset(small_full_set) | {"test_labels": np.arange(3, dtype=np.uint8)}
    for name in ("one.npz", "two.npz"):
        make_data.write_npz(tmp_path / name, arrays)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    with np.load(tmp_path / "one.npz", allow_pickle=False) as read:
        assert read["train_images"].shape == (800, 4)
        assert np.array_equal(read["validation_labels"], np.repeat(np.arange(10), 20))


@given(value=JSON)
def test_json_is_recorded_as_it_is(utils: ModuleType, value: object) -> None:
    assert utils._plain(value, "data") == value


@given(numbers=st.lists(st.floats(width=32), max_size=5))
def test_arrays_are_recorded_as_numbers_that_json_has(utils: ModuleType, numbers: list[float]) -> None:
    for array in (np.array(numbers), np.array(numbers, dtype=np.float32), (*numbers,)):
        kept = json.loads(json.dumps(utils._plain({"curve": array}, "data"), allow_nan=False))
        np.testing.assert_array_equal([float(number) for number in kept["curve"]], numbers)
