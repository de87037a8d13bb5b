"""Pictures saved in a submission: only PNG, checked before memory is taken, rewritten from known chunks.

SVG and HTML can carry scripts, and JPEG would need a decoder, so none of them is taken. The length is checked
before base64 is decoded, and the declared number of pixels before anything is inflated. Text, profiles and
animation are not kept. Pixels are inflated only to be counted: the browser that shows the picture decodes it,
so it must be as large as its header says.
"""

from __future__ import annotations

import base64
import binascii
import struct
import zlib
from collections.abc import Iterator

from grader.model.records import Figure

MAX_BYTES = 2_000_000
MAX_PIXELS = 4_000_000

_HEADER = ">IIBBBBB"
_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_KEPT = {b"IHDR", b"PLTE", b"tRNS", b"gAMA", b"sRGB", b"pHYs", b"IDAT", b"IEND"}
_CHANNELS = {
    0: (1, (1, 2, 4, 8, 16)),
    2: (3, (8, 16)),
    3: (1, (1, 2, 4, 8)),
    4: (2, (8, 16)),
    6: (4, (8, 16)),
}
"""By colour type: samples per pixel, allowed bits per sample (PNG specification, table 11.1)."""
_PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7 interlacing: first column, first row, column step and row step of each pass."""


class BadFigure(ValueError):
    """A picture that is not kept; the message says why in a few words."""


def figure_from_base64(text: str, *, cell: int) -> Figure:
    """A figure from base64 as notebooks hold it. Raises BadFigure."""
    if len(text) > MAX_BYTES * 3 // 2:  # base64 takes 4/3, and line breaks a little more
        raise BadFigure(f"it is larger than {MAX_BYTES:,} bytes")
    try:
        data = base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        raise BadFigure("it is not base64") from None
    return figure_from_png(data, cell=cell)


def figure_from_png(data: bytes, *, cell: int) -> Figure:
    """A figure from a PNG's bytes, rewritten from the chunks in ``_KEPT``. Raises BadFigure."""
    if len(data) > MAX_BYTES:
        raise BadFigure(f"it is larger than {MAX_BYTES:,} bytes")
    if not data.startswith(_SIGNATURE):
        raise BadFigure("it is not a PNG")
    chunks = [(kind, body) for kind, body in _chunks(data) if kind in _KEPT]
    if not chunks or chunks[0][0] != b"IHDR" or [kind for kind, _ in chunks].count(b"IHDR") != 1:
        raise BadFigure("its header is missing")
    width, height, expected = _header(chunks[0][1])
    # A stream that inflates to more than the header declares is a bomb for the decoder that trusts either.
    pixels = b"".join(body for kind, body in chunks if kind == b"IDAT")
    if _inflated_length(pixels, limit=expected + 1) != expected:
        raise BadFigure("its pixels are not those that its header declares")
    png = _SIGNATURE + b"".join(_chunk(kind, body) for kind, body in chunks)
    return Figure(png=png, width=width, height=height, cell=cell)


def _chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """All chunks up to IEND; what comes after it is not read. Raises BadFigure."""
    at = len(_SIGNATURE)
    while at + 12 <= len(data):
        length, kind = struct.unpack_from(">I4s", data, at)
        if length > len(data) - at - 12:
            break
        body = data[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", data, at + 8 + length)
        if zlib.crc32(body, zlib.crc32(kind)) != checksum:
            raise BadFigure("it is damaged")
        if kind not in _KEPT and not kind[0] & 0x20:  # bit 5 of the first letter: 0 for a critical chunk
            raise BadFigure("it needs an extension of PNG")
        yield kind, body
        if kind == b"IEND":
            return
        at += 12 + length
    raise BadFigure("it is cut short")


def _header(body: bytes) -> tuple[int, int, int]:
    """Width, height, and the number of bytes that the pixels must inflate to. Raises BadFigure."""
    if len(body) != struct.calcsize(_HEADER):
        raise BadFigure("its header is damaged")
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(_HEADER, body)
    samples, depths = _CHANNELS.get(colour, (0, ()))
    if depth not in depths or compression or filtering or interlace not in {0, 1}:
        raise BadFigure("its header is damaged")
    if not width or not height:
        raise BadFigure("it has no pixels")
    if width * height > MAX_PIXELS:
        raise BadFigure(f"it declares {width:,} x {height:,} pixels, more than {MAX_PIXELS:,}")
    return width, height, _raw_length(width, height, samples * depth, interlaced=bool(interlace))


def _raw_length(width: int, height: int, bits: int, *, interlaced: bool) -> int:
    """Bytes of all rows: one for the row's filter, then its pixels. ``bits`` is per pixel."""
    passes = _PASSES if interlaced else ((0, 0, 1, 1),)
    length = 0
    for left, top, across, down in passes:
        columns, rows = -(-(width - left) // across), -(-(height - top) // down)
        if columns > 0 and rows > 0:
            length += rows * (1 + (columns * bits + 7) // 8)
    return length


def _inflated_length(data: bytes, *, limit: int) -> int:
    """The number of bytes that the data inflates to, counted up to ``limit``; -1 for a damaged stream."""
    stream, length, rest = zlib.decompressobj(), 0, data
    try:
        while length < limit and not stream.eof:
            piece = stream.decompress(rest, min(65536, limit - length))
            rest = stream.unconsumed_tail
            length += len(piece)
            if not piece and not rest:
                break
    except zlib.error:
        return -1
    return length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
