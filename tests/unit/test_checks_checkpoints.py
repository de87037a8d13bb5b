"""Checkpoints are data: what is right comes back whole, everything else is refused in words and cheaply."""

from __future__ import annotations

import io
import json
import pickle
import struct
import tracemalloc
import zipfile

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays_of

from grader.checks.checkpoints import assert_checkpoint, read_checkpoint
from grader.model.errors import CheckFailed

NAMES = {"f8": "F64", "f4": "F32", "f2": "F16", "i8": "I64", "u1": "U8", "b1": "BOOL"}
WEIGHTS = {"W": np.arange(6.0).reshape(2, 3), "b": np.ones(3)}
SHAPES = {"W": (2, 3), "b": (3,)}


def with_header(header, body=b"", length=None):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text) if length is None else length) + text + body


def safetensors(arrays):
    """A file as the format's own library writes it."""
    header, body = {"__metadata__": {"format": "np"}}, b""
    for name, array in arrays.items():
        data = array.tobytes()
        header[name] = {
            "dtype": NAMES[array.dtype.str[1:]],
            "shape": list(array.shape),
            "data_offsets": [len(body), len(body) + len(data)],
        }
        body += data
    return with_header(header, body)


def npz(arrays, save=np.savez):
    file = io.BytesIO()
    save(file, **arrays)
    return file.getvalue()


def packed(**members):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name.replace("_", "."), content)
    return file.getvalue()


def npy(header, body=b""):
    text = header.encode("latin1")
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text + body


def one_tensor(**changes):
    entry = {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], **changes}
    return with_header({"W": entry}, b"12345678")


ARRAYS = st.dictionaries(
    st.text("abcW_", min_size=1, max_size=5),
    st.sampled_from(["<" + name if name[1] != "1" else "|" + name for name in NAMES]).flatmap(
        lambda dtype: arrays_of.arrays(dtype, arrays_of.array_shapes(min_dims=0, max_dims=3, min_side=0))
    ),
    min_size=1,
    max_size=3,
)


@given(arrays=ARRAYS, write=st.sampled_from([safetensors, npz]))
def test_what_was_saved_comes_back(arrays, write):
    read = read_checkpoint(write(arrays))
    assert read.keys() == arrays.keys()
    for name, array in arrays.items():
        assert (read[name].dtype, read[name].shape) == (array.dtype, array.shape)
        assert read[name].tobytes() == array.tobytes()


def test_other_ways_to_save():
    compressed = read_checkpoint(npz(WEIGHTS, np.savez_compressed), shapes=SHAPES)
    assert np.array_equal(compressed["W"], WEIGHTS["W"])
    turned = read_checkpoint(npz({"W": np.asfortranarray(WEIGHTS["W"]), "b": WEIGHTS["b"].astype(">f4")}))
    assert np.array_equal(turned["W"], WEIGHTS["W"])
    assert turned["b"].dtype == np.float32
    half = read_checkpoint(one_tensor(dtype="BF16", shape=[4]))["W"]
    assert half.dtype == np.float32
    assert half.tobytes() == b"\0\x0012\0\x0034\0\x0056\0\x0078"


HUGE = "{'descr': '<f8', 'fortran_order': False, 'shape': (1099511627776,), }"
WRONG = {
    "not bytes": ([1, 2], "of type list, expected bytes"),
    "nothing": (b"", "neither safetensors nor npz"),
    "a pickle": (pickle.dumps(WEIGHTS), "is a pickle, which is a program"),
    "a file of torch": (packed(**{"model/data_pkl": b"x"}), "holds a pickle"),
    "objects in npz": (npz({"W": np.array([{}], dtype=object)}), "dtype is object, not numbers"),
    "a header longer than the file": (with_header(b"{}", length=1 << 40), "a header of 1,099,511,627,776"),
    "a shape beyond the bytes": (one_tensor(shape=[1 << 40]), "8 bytes for a shape of 4,398,046,511,104"),
    "a large shape of nothing": (
        with_header({"W": {"dtype": "F32", "shape": [0, 1 << 40, 1 << 40], "data_offsets": [0, 0]}}),
        "shape is too large",
    ),
    "offsets beyond the file": (one_tensor(shape=[9], data_offsets=[0, 36]), "ends before its tensors"),
    "offsets backwards": (one_tensor(data_offsets=[8, 0]), "wrongly"),
    "a gap before": (one_tensor(shape=[1], data_offsets=[4, 8]), "overlap, or bytes between"),
    "bytes behind": (one_tensor(shape=[1], data_offsets=[0, 4]), "bytes behind"),
    "a negative length": (one_tensor(shape=[-2, -1]), "whole numbers"),
    "a length that is true": (one_tensor(shape=[True, 2]), "whole numbers"),
    "many axes": (one_tensor(shape=[1] * 9 + [2]), "more than 8 axes"),
    "another dtype": (one_tensor(dtype="F8_E4M3"), "dtype is not one of"),
    "one key more": (one_tensor(path="/etc/passwd"), "wrongly"),
    "a name twice": (with_header(b'{"W": 1, "W": 2}'), "not valid JSON"),
    "NaN in the header": (with_header(b'{"W": NaN}'), "not valid JSON"),
    "deep header": (with_header(b'{"W":' * 100_000), "not valid JSON"),
    "notes that are no text": (with_header({"__metadata__": {"a": 1}}), "not text"),
    "many tensors": (with_header({str(k): 1 for k in range(1001)}), "more than 1,000"),
    "a zip bomb": (packed(W_npy=bytes(65 << 20)), "unpacks to more than"),
    "another member": (packed(W_npy=npy(HUGE), readme_txt=b"hello"), "not an array"),
    "half a zip": (npz(WEIGHTS)[:200], "damaged archive"),
    "an array larger than its bytes": (packed(W_npy=npy(HUGE)), "0 bytes for a shape of 8,796,093,022,208"),
    "a header that is a program": (packed(W_npy=npy("__import__('os').getpid()")), "wrongly"),
    "a deep array header": (packed(W_npy=npy("(" * 900)), "wrongly"),
    "records": (npz({"W": np.zeros(2, dtype=[("a", "f4")])}), "not numbers"),
    "text": (npz({"W": np.array(["a"])}), "not numbers"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_everything_else_is_refused_in_words(case):
    data, why = WRONG[case]
    tracemalloc.start()
    with pytest.raises(CheckFailed, match=why):
        read_checkpoint(data)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 32 << 20


@given(
    good=st.sampled_from([safetensors(WEIGHTS), npz(WEIGHTS), npz(WEIGHTS, np.savez_compressed)]),
    places=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=4),
)
def test_damage_is_noticed_or_harmless(good, places):
    data = bytearray(good)
    for where, byte in places:
        data[int(where * len(data))] = byte
    try:
        read = read_checkpoint(bytes(data), shapes=SHAPES)
    except CheckFailed:
        return
    assert {name: array.shape for name, array in read.items()} == SHAPES


def test_a_large_file_is_refused_before_it_is_read():
    with pytest.raises(CheckFailed, match="more than the 10 allowed"):
        read_checkpoint(npz(WEIGHTS), max_bytes=10)


def loss(arrays):
    return np.mean(arrays["W"] ** 2) + arrays["b"].sum()


def test_a_checkpoint_gives_the_loss_that_is_claimed():
    right = loss(WEIGHTS)
    assert_checkpoint(safetensors(WEIGHTS), loss=loss, claimed=right * (1 + 1e-5), shapes=SHAPES, at_most=20)
    with pytest.raises(CheckFailed, match=r"the loss claimed for [\s\S]*got 1, expected 12.16"):
        assert_checkpoint(npz(WEIGHTS), loss=loss, claimed=1.0, shapes=SHAPES)
    with pytest.raises(CheckFailed, match="expected at most 3"):
        assert_checkpoint(npz(WEIGHTS), loss=loss, claimed=right, shapes=SHAPES, at_most=3)
    with pytest.raises(CheckFailed, match=r"holds the arrays W; expected W, b"):
        assert_checkpoint(npz({"W": WEIGHTS["W"]}), loss=loss, claimed=right, shapes=SHAPES)
    with pytest.raises(CheckFailed, match=r"\['b'\] has shape \(4,\), expected shape \(3,\)"):
        assert_checkpoint(npz({**WEIGHTS, "b": np.ones(4)}), loss=loss, claimed=right, shapes=SHAPES)
    with pytest.raises(CheckFailed, match="NaN"):
        assert_checkpoint(npz({**WEIGHTS, "b": np.full(3, np.nan)}), loss=loss, claimed=right, shapes=SHAPES)
