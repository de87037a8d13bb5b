"""Pictures from a submission: real ones are kept, bombs and damage never reach a decoder."""

from __future__ import annotations

import base64
import io
import struct
import zlib

import matplotlib.image
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.notebooks import figures
from grader.notebooks.figures import BadFigure, figure_from_base64, figure_from_png

SIGNATURE = b"\x89PNG\r\n\x1a\n"


def chunk(kind: bytes, body: bytes = b"") -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def header(width: int, height: int, *, depth: int = 8, colour: int = 0, interlace: int = 0) -> bytes:
    return chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace))


def gray(width: int, height: int) -> bytes:
    return chunk(b"IDAT", zlib.compress((b"\0" + bytes(width)) * height))


def picture(*chunks: bytes, width: int = 3, height: int = 2) -> bytes:
    return SIGNATURE + header(width, height) + b"".join(chunks) + gray(width, height) + chunk(b"IEND")


def drawn() -> bytes:
    """A picture as matplotlib saves it."""
    file = io.BytesIO()
    matplotlib.image.imsave(file, np.random.default_rng(1).random((20, 30, 3)), format="png")
    return file.getvalue()


def problem(data: bytes) -> str:
    with pytest.raises(BadFigure) as caught:
        figure_from_png(data, cell=1)
    return str(caught.value)


def test_a_real_picture_keeps_its_pixels():
    data = drawn()
    figure = figure_from_png(data, cell=7)
    assert (figure.width, figure.height, figure.cell) == (30, 20, 7)
    before, after = (matplotlib.image.imread(io.BytesIO(png)) for png in (data, figure.png))
    np.testing.assert_array_equal(before, after)


def test_text_animation_and_what_follows_the_end_are_dropped():
    extras = [chunk(b"tEXt", b"Author\0A student"), chunk(b"acTL", bytes(8)), chunk(b"iCCP", b"x\0\0bomb")]
    assert figure_from_png(picture(*extras) + b"<script>", cell=1).png == picture()


def test_base64_may_be_wrapped_in_lines():
    text = base64.encodebytes(drawn()).decode()
    assert figure_from_base64(text, cell=1).width == 30


@pytest.mark.parametrize("text", ["", "!!!!", "AAA", "é" * 8, "\ud800"])
def test_text_that_is_no_picture(text):
    with pytest.raises(BadFigure):
        figure_from_base64(text, cell=1)


def test_size_is_checked_before_base64_is_decoded(monkeypatch):
    monkeypatch.setattr(figures.base64, "b64decode", lambda *_a, **_k: pytest.fail("decoded"))
    with pytest.raises(BadFigure, match="larger than 2,000,000 bytes"):
        figure_from_base64("A" * 3_000_001, cell=1)


def test_more_than_two_megabytes_once_decoded():
    assert "larger than" in problem(picture() + bytes(figures.MAX_BYTES))


@pytest.mark.parametrize(("width", "height"), [(4_000_001, 1), (2001, 2000), (2**31 - 1, 2**31 - 1)])
def test_declared_pixels_are_counted_before_anything_is_inflated(width, height, monkeypatch):
    monkeypatch.setattr(figures.zlib, "decompressobj", lambda: pytest.fail("inflated"))
    data = SIGNATURE + header(width, height) + chunk(b"IDAT", b"x") + chunk(b"IEND")
    assert "pixels, more than 4,000,000" in problem(data)


def test_four_million_pixels_are_allowed():
    assert figure_from_png(picture(width=2000, height=2000), cell=1).width == 2000


def test_pixels_that_inflate_to_more_than_declared_are_counted_no_further(monkeypatch):
    bomb = chunk(b"IDAT", zlib.compress(bytes(100_000_000), 9))
    seen = []

    class Counted:
        def __init__(self):
            self.inner = decompressor()
            self.eof = False

        def decompress(self, data, limit):
            piece = self.inner.decompress(data, limit)
            seen.append(len(piece))
            return piece

        @property
        def unconsumed_tail(self):
            return self.inner.unconsumed_tail

    decompressor = zlib.decompressobj
    monkeypatch.setattr(figures.zlib, "decompressobj", Counted)
    assert "its pixels" in problem(SIGNATURE + header(3, 2) + bomb + chunk(b"IEND"))
    assert sum(seen) <= 9


def test_pixels_that_are_missing_or_damaged():
    assert "its pixels" in problem(SIGNATURE + header(3, 2) + chunk(b"IEND"))
    assert "its pixels" in problem(SIGNATURE + header(3, 2) + gray(3, 1) + chunk(b"IEND"))
    assert "its pixels" in problem(SIGNATURE + header(3, 2) + chunk(b"IDAT", b"junk") + chunk(b"IEND"))


def test_a_wrong_checksum():
    assert "damaged" in problem(picture().replace(b"IDAT", b"IDAU"[:3] + b"T"[:0] + b"T")[:-20] + bytes(20))


def test_without_an_end_mark():
    assert "cut short" in problem(picture()[:-12])


def test_a_length_beyond_the_file():
    assert "cut short" in problem(
        SIGNATURE + header(3, 2) + struct.pack(">I", 2**32 - 1) + b"IDAT" + bytes(40)
    )


@pytest.mark.parametrize(
    "first",
    [
        chunk(b"IHDR", bytes(12)),
        header(0, 5),
        header(5, 0),
        header(3, 2, depth=7),
        header(3, 2, colour=5),
        header(3, 2, depth=16, colour=3),
        header(3, 2, interlace=2),
        chunk(b"tEXt", b"a\0b"),
        header(3, 2) * 2,
    ],
)
def test_headers_that_make_no_sense(first):
    problem(SIGNATURE + first + gray(3, 2) + chunk(b"IEND"))


def test_an_unknown_chunk_that_must_be_understood():
    assert "extension" in problem(picture(chunk(b"ABCD")))


@pytest.mark.parametrize(("width", "height"), [(1, 1), (3, 2), (9, 17), (8, 8), (5, 1)])
def test_interlaced_pictures_are_measured_pass_by_pass(width, height):
    # The seven passes of the PNG specification, section 8.2, counted pixel by pixel.
    grid = ["16462646", "77777777", "56565656", "77777777", "36463646", "77777777", "56565656", "77777777"]
    rows = b""
    for number in "1234567":
        for y in range(height):
            count = sum(grid[y % 8][x % 8] == number for x in range(width))
            rows += (b"\0" + bytes(count)) if count else b""
    data = (
        SIGNATURE + header(width, height, interlace=1) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND")
    )
    assert figure_from_png(data, cell=1).height == height


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.data())
def test_damage_is_refused_or_harmless(data):
    png = bytearray(picture())
    for _ in range(data.draw(st.integers(1, 4))):
        png[data.draw(st.integers(0, len(png) - 1))] = data.draw(st.integers(0, 255))
    del png[data.draw(st.integers(0, len(png))) :]
    try:
        figure = figure_from_png(bytes(png), cell=1)
    except BadFigure:
        return
    assert figure.width * figure.height <= figures.MAX_PIXELS
    assert figure.png.startswith(SIGNATURE)
