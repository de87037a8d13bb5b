"""The plots and curves of a submission, from the file that was graded: no byte of its pictures is sent.

Records are kept without pictures, so they are read from the submission's files, which are checked to be the
same as when they were graded. A few submissions are kept in memory.
"""

from __future__ import annotations

import hashlib
import struct
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator

import msgspec

from grader.course.packages import kept_package
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.recorded import recorded_in
from grader.grading.whose_notebook import notebook_of_items
from grader.handed_in.package import load
from grader.model.errors import InfrastructureError, SubmissionError
from grader.model.records import Figure
from grader.notebooks.answers import find_answers
from grader.review.classroom import Seat
from grader.review.curves import Chart, charts

MOST_BYTES = 100_000_000
"""Bytes of a submission that is read while somebody waits."""
KEPT = 24
"""Submissions whose plots stay in memory."""

_SIGNATURE = b"\x89PNG\r\n\x1a\n"


class Picture(msgspec.Struct, frozen=True):
    """A plot: its name in links, and its pixels as a PNG of ours."""

    name: str
    png: bytes
    width: int
    height: int
    cell: int


class Plots(msgspec.Struct, frozen=True):
    """A submission's plots by item, and the curves that it recorded; ``problem`` says why there are none."""

    by_item: dict[str, tuple[Picture, ...]]
    problem: str = ""
    curves: dict[str, tuple[Chart, ...]] = {}

    def named(self, name: str) -> Picture | None:
        """The plot of this name."""
        several = (picture for pictures in self.by_item.values() for picture in pictures)
        return next((picture for picture in several if picture.name == name), None)


class Pictures:
    """Reads plots and keeps the last ones. Several threads may ask at once."""

    def __init__(self, home: AssignmentFolder) -> None:
        self._home = home
        self._kept: OrderedDict[int, Plots] = OrderedDict()
        self._lock = threading.Lock()
        self._reading = threading.Lock()

    def of(self, seat: Seat) -> Plots:
        """The plots of a submission."""
        row = seat.submission.row
        if (known := self._known(row)) is not None:
            return known
        with self._reading:  # one file at a time: a large one takes memory and a processor
            if (known := self._known(row)) is not None:
                return known
            plots = self._read(seat)
        with self._lock:
            self._kept[row] = plots
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return plots

    def _known(self, row: int) -> Plots | None:
        with self._lock:
            if row in self._kept:
                self._kept.move_to_end(row)
            return self._kept.get(row)

    def _read(self, seat: Seat) -> Plots:
        package = kept_package(seat.submission)
        if package is None:
            return Plots({}, "the file is no longer where it was graded, or has changed since")
        if package.size > MOST_BYTES:
            return Plots({}, f"the files hold {package.size:,} bytes, too many to read while you mark")
        try:
            files = load(package)
        except (InfrastructureError, SubmissionError) as error:
            return Plots({}, str(error))
        owners = notebook_of_items(self._home.assignment, files.notebooks, self._home.cells_given)
        found: dict[str, tuple[Picture, ...]] = {}
        curves: dict[str, tuple[Chart, ...]] = {}
        for notebook in files.notebooks:
            answers = find_answers(notebook.cells, self._home.assignment, template=self._home.template_cells)
            for item, answer in answers.items():
                if owners.get(item) is notebook:
                    found[item] = tuple(map(picture_of, answer.figures))
                    several = recorded_in({item: answer})[item].recordings
                    curves[item] = tuple(chart for one in several for chart in charts(one.data))
        return Plots(found, curves=curves)


def picture_of(figure: Figure) -> Picture:
    """The figure's pixels, deflated by us, between chunks written by us."""
    chunks = dict[bytes, bytes]()
    pixels = []
    for kind, body in _chunks(figure.png):
        if kind == b"IDAT":
            pixels.append(body)
        else:
            chunks[kind] = body
    # The figure's size was checked when it was read: what this inflates to is what its header declares.
    data = zlib.compress(zlib.decompress(b"".join(pixels)), 6)
    kept = [(kind, chunks[kind]) for kind in (b"IHDR", b"PLTE", b"tRNS") if kind in chunks]
    png = _SIGNATURE + b"".join(_chunk(*one) for one in (*kept, (b"IDAT", data), (b"IEND", b"")))
    return Picture(hashlib.sha256(png).hexdigest()[:24], png, figure.width, figure.height, figure.cell)


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    at = len(_SIGNATURE)
    while at + 12 <= len(png):
        length, kind = struct.unpack_from(">I4s", png, at)
        yield kind, png[at + 8 : at + 8 + length]
        at += 12 + length


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(body, zlib.crc32(kind)))
