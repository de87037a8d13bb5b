"""Kept weights: what the template packs is what the grader reads, and nothing else is read."""

from __future__ import annotations

import base64
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from support.reference_files import load

from grader.checks.weights import unpack_weights
from grader.model.errors import BadEvidence

UTILS = load("utils")
SHAPES = {"W": (3, 4), "b": (4,)}
HONEST = UTILS.pack_weights({"W": np.arange(12.0).reshape(3, 4), "b": np.ones(4)}, "float32")

finite = arrays.arrays(
    np.float32,
    arrays.array_shapes(max_dims=3, max_side=5),
    elements=st.floats(-60_000, 60_000, width=32),
)


@given(array=finite, kind=st.sampled_from(["float32", "float16", "int8"]))
def test_what_is_packed_is_read(array: np.ndarray, kind: str) -> None:
    packed = json.loads(json.dumps(UTILS.pack_weights({"w": array}, kind)))
    found = unpack_weights(packed, shapes={"w": array.shape})["w"]
    assert (found.shape, found.dtype) == (array.shape, np.float32)
    rows = array.reshape(len(array) if array.ndim > 1 else 1, -1)
    largest = np.abs(rows).max(axis=1, keepdims=True)
    bound = {"float32": 0.0, "float16": np.abs(rows) * 2.0**-11 + 2.0**-24, "int8": largest * (0.5001 / 127)}
    assert (np.abs(found.reshape(rows.shape) - rows) <= bound[kind]).all()


def test_tensors_are_packed_as_arrays() -> None:
    torch = pytest.importorskip("torch")
    tensor = torch.ones(2, 3, requires_grad=True)
    assert UTILS.pack_weights({"w": tensor}) == UTILS.pack_weights({"w": np.ones((2, 3))})


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("kind", ["float32", "int8"])
@pytest.mark.parametrize("broken", [np.nan, np.inf])
def test_weights_of_a_run_that_broke_down_are_packed_and_not_believed(kind: str, broken: float) -> None:
    packed = UTILS.pack_weights({"w": np.array([[1.0, broken], [0.0, 0.0]])}, kind)
    with pytest.raises(BadEvidence, match="not finite"):
        unpack_weights(packed, shapes={"w": (2, 2)})


def changed(name: str, **entries: object) -> dict[str, Any]:
    return HONEST | {name: HONEST[name] | entries}


@pytest.mark.parametrize(
    "raw",
    [
        None,
        [],
        "W",
        {},
        {"W": HONEST["W"]},
        HONEST | {"more": HONEST["b"]},
        HONEST | {"b": None},
        changed("W", shape=[4, 3]),
        changed("W", shape=[3.0, 4.5]),
        changed("W", shape="34"),
        changed("W", type="float64"),
        changed("W", type=["int8"]),
        changed("W", type="object"),
        changed("W", type="int8"),
        changed("W", type="float16"),
        changed("W", data=HONEST["W"]["data"] + "AAAA"),
        changed("W", data=HONEST["W"]["data"][4:]),
        changed("W", data="!" * len(HONEST["W"]["data"])),
        changed("W", data="\u00e9" * len(HONEST["W"]["data"])),
        changed("W", data=7),
        changed("W", type="int8", data=base64.b64encode(bytes(12)).decode(), scale="AAAA"),
    ],
)
def test_everything_else_is_refused_in_one_line(raw: object) -> None:
    with pytest.raises(BadEvidence) as refused:
        unpack_weights(raw, shapes=SHAPES)
    assert "\n" not in str(refused.value)
    assert len(str(refused.value)) < 250


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.sampled_from(["W", "b", "shape", "type", "data", "scale"]), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(raw=st.dictionaries(st.sampled_from(["W", "b"]), JSON, max_size=2) | JSON)
def test_no_claim_raises_anything_but_bad_evidence(raw: object) -> None:
    with pytest.raises(BadEvidence):
        unpack_weights(raw, shapes=SHAPES)


def test_a_large_claim_costs_no_memory() -> None:
    text = "A" * 40_000_000
    tracemalloc.start()
    with pytest.raises(BadEvidence):
        unpack_weights(changed("W", data=text), shapes=SHAPES)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_000_000
