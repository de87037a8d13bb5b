"""Damaged frames, notebooks and archives: a bounded number in every test run, the same ones each time.

``hunt.py`` searches further, led by coverage, and ``python -m benchmarks.mutations`` tries a million.
"""

from __future__ import annotations

import json
import sys
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.fuzzing.corpus import archives, frame, frames, notebooks
from support.fuzzing.mutations import HOSTILE, VALUES, damaged, reframed, rewritten
from support.fuzzing.targets import (
    REQUEST,
    TARGETS,
    read_archive,
    read_frames,
    read_notebook,
    read_page,
    seeds,
)

from grader.inside import codec
from grader.notebooks import script

pytestmark = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")

ANSWERS = frames()
FILES = notebooks()
ARCHIVES = archives()
KINDS = st.integers(0, 5)
FIELDS = ("kind", "message", "traceback", "unsupported", "ok", "image/png", "$", "id", "type", "of")
TREES = st.recursive(
    st.sampled_from(VALUES) | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=12,
)


def test_the_corpus_is_what_its_maker_writes() -> None:
    """So that it can be made again."""
    for target, made in (("frames", ANSWERS), ("notebooks", FILES), ("archives", ARCHIVES)):
        kept = {path.name: path.read_bytes() for path in seeds(target)}
        assert {name: kept.get(name) for name in made} == made


@settings(max_examples=300)
@given(st.sampled_from(sorted(ANSWERS)), st.randoms(use_true_random=False))
def test_damaged_answers_are_answers_or_errors(name: str, random: Random) -> None:
    """Through the socket, the reader and the session."""
    read_frames(damaged(ANSWERS[name], random, list(ANSWERS.values())))
    read_frames(reframed(ANSWERS[name], random))


@settings(max_examples=300)
@given(st.lists(st.tuples(KINDS, TREES, st.booleans()), max_size=3))
def test_answers_of_any_shape_are_answers_or_errors(sent: list[tuple[int, object, bool]]) -> None:
    """Error frames without their fields, pictures that are lists, handles in streams, one after another."""
    read_frames(b"".join(_frame(kind, tree, encoded=encoded) for kind, tree, encoded in sent))


def _frame(kind: int, tree: object, *, encoded: bool) -> bytes:
    """A frame of this value, or with this text in the place of a value's."""
    if encoded:
        try:
            return frame(kind, tree)
        except codec.NotPlainDataError:
            return b""
    text = json.dumps(tree).encode()
    return codec.HEADER.pack(len(text), 0, REQUEST, kind) + text


@settings(max_examples=60)
@given(st.sampled_from(sorted(FILES)), st.randoms(use_true_random=False))
def test_damaged_files_are_read_or_refused(name: str, random: Random) -> None:
    """From the file to the report."""
    read_notebook(damaged(rewritten(FILES[name], random), random))
    read_notebook(rewritten(FILES[name], random))


@settings(max_examples=300)
@given(st.sampled_from(sorted(ARCHIVES)), st.randoms(use_true_random=False))
def test_damaged_archives_are_read_or_refused(name: str, random: Random) -> None:
    """Zips, tar files and what gzip packed of them; also with the checksums that belong to the damage."""
    read_archive(damaged(ARCHIVES[name], random, list(ARCHIVES.values())))


@settings(max_examples=100)
@given(st.sampled_from(["tar_gnu", "tar_pax"]), st.integers(0, 3000), st.binary(min_size=1, max_size=12))
def test_any_field_of_a_tar_files_headers_may_hold_anything(name: str, at: int, value: bytes) -> None:
    """Sizes, kinds, names and what one header says of the next."""
    data = bytearray(ARCHIVES[name])
    data[at : at + len(value)] = value
    read_archive(bytes(data))


@pytest.mark.parametrize(
    "page",
    [
        "<script>1</script>",
        "<p onclick='x'>",
        "<a href='javascript:x'>",
        "<img src='file:///etc/passwd'>",
        "\x1b[2J",
        "a\u202eb",
    ],
)
def test_a_page_that_could_run_something_is_noticed(page: str) -> None:
    """What each report is read with can fail."""
    with pytest.raises(AssertionError):
        read_page(page)


@pytest.mark.parametrize("target", TARGETS)
def test_no_input_at_all(target: str) -> None:
    """Nothing is an input too."""
    assert TARGETS[target](b"") in {"SandboxDied", "script", "refused"}


@pytest.mark.parametrize("text", HOSTILE, ids=ascii)
def test_hostile_text_reaches_no_report(text: str) -> None:
    """In prose and in code."""
    source = text.encode("utf-8", "surrogatepass")
    read_notebook(b"'''#### Answer 3.2.3.i\n\n" + source + b"'''\nx = 1 # " + source)


@pytest.mark.parametrize("line", ["@a\n", "x = (\n", "try:\n"])
def test_a_script_of_lines_that_never_end_is_not_tried_for_ever(
    line: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each could go on in the next: once a minute went into trying all runs of 20 kB of them."""
    given = []

    def never(text: str) -> None:
        given.append(len(text))

    monkeypatch.setattr(script, "parse", never)
    blocks = script.split_statements(line * 5_000)
    assert len(blocks) > 4_000
    assert sum(given) < 2_100_000
