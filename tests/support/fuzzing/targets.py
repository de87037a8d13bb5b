"""All that the trusted side does with bytes that a student decides, as three functions of bytes.

``read_frames`` takes what came over a sandbox's socket, ``read_notebook`` a file that was handed in,
``read_archive`` a zip or tar file. Each returns what became of it in one word, and raises for whatever must
never happen: an exception other than those that the rest of the grader expects, or more processor time than
the size explains.
"""

from __future__ import annotations

import contextlib
import io
import re
import socket
import tempfile
import time
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

from rich.console import Console

from grader.checks.arrays import as_array
from grader.course.fingerprints import fingerprints
from grader.grading.assignment_folder import AssignmentFolder
from grader.grading.execution import Execution, result_of
from grader.grading.pipeline import answer_shown, figures_of
from grader.grading.recorded import recorded_in, recordings_in
from grader.grading.scoring import needs_attention, score
from grader.handed_in.graded_file import Expected
from grader.handed_in.named import package_of
from grader.handed_in.package import load
from grader.inside import codec
from grader.model import records
from grader.model.assignment import parse
from grader.model.errors import CheckError, SandboxDied, SubmissionError
from grader.model.isolation import Mode
from grader.model.records import CellStatus
from grader.notebooks import submission_file
from grader.notebooks.answers import find_answers
from grader.notebooks.cells import Cell
from grader.notebooks.parameters import with_budget
from grader.notebooks.submission_files import SubmissionFiles
from grader.reports import page
from grader.reports.terminal import print_report
from grader.sandbox.box import connection
from grader.session.allowance import Allowance
from grader.session.notebook import CellRun, run_cell
from grader.session.session import Session
from grader.session.socket_transport import SocketTransport
from grader.session.transport import Frame, OnOutput

from ..assignments import Item, manifest
from ..paths import TESTS

LONGEST_FRAMES = 1 << 16  # fits into the socket whole, so that nobody has to write while the other reads
SECONDS = 10.0  # of processor time, on a slow machine: what hangs takes minutes
SECONDS_A_BYTE = 1e-4
REQUEST = 7

FORBIDDEN_TAGS = {"script", "iframe", "object", "embed", "form", "input", "base", "link", "svg", "video"}
LINKS = ("#", "https://", "http://", "mailto:", "data:image/png;base64,", "data:,")
UNPRINTABLE = re.compile("[\0-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

ASSIGNMENT = parse(
    manifest(
        Item("3.1.1", "Linear layer"),
        Item("3.2.3.i", "Why?", points=2, kind="written"),
        Item("3.3.i", "Curves", points=2, kind="evidence"),
        title="Fuzzing",
        budget={"EPOCHS": 1, "widths": [2, 3], "name": "small"},
    )
)
FOLDER = AssignmentFolder(Path("nowhere"), ASSIGNMENT, "0" * 64)


class TooSlow(AssertionError):
    """An input took more time than its size explains."""


@contextlib.contextmanager
def in_time(size: int, *, seconds: float = SECONDS) -> Iterator[None]:
    """Raises TooSlow when what is done took more processor time than ``size`` bytes may."""
    start = time.process_time()
    yield
    took, allowed = time.process_time() - start, seconds + SECONDS_A_BYTE * size
    if took > allowed:
        raise TooSlow(f"{took:.2f} s for {size:,} bytes, at most {allowed:.2f} s")


# -- frames --------------------------------------------------------------------------------------------


def read_frames(data: bytes) -> str:
    """What the session makes of these bytes as an answer, as they are and as a frame of the right lengths."""
    data = data[:LONGEST_FRAMES]
    with in_time(len(data)):
        outcomes = [_asked(data)]
        if len(data) > codec.HEADER.size:
            mended = _mended(data)
            outcomes += [_asked(mended), _ran(mended)]
    return ", ".join(outcomes)


def _asked(sent: bytes) -> str:
    """Ask a session one question that ``sent`` answers, and use the answer as a check would."""
    with _session(sent) as session:
        try:
            value = session.request("value")
        except CheckError as error:
            return type(error).__name__
        return _used(value)


def _ran(sent: bytes) -> str:
    """Run a cell whose process answers with ``sent``."""
    with _session(sent) as session:
        try:
            run = run_cell(session, "pass", seconds=5)
        except SandboxDied:
            return "SandboxDied"
        (run.error + run.traceback).encode()
        return run.status


@contextlib.contextmanager
def _session(sent: bytes) -> Iterator[Session]:
    """A session whose other side has sent these bytes and nothing more."""
    ours, theirs = connection()
    with ours, theirs:
        theirs.send(sent)
        theirs.shutdown(socket.SHUT_WR)
        session = Session(_Replay(SocketTransport(ours, why_died=_gone)), seconds=5)
        yield session
        session.written.encode()
        assert all(type(picture) is str for picture in session.pictures)


class _Replay:
    """Asks with a number that is known beforehand, so that recorded answers fit."""

    def __init__(self, transport: SocketTransport) -> None:
        self._transport = transport

    def exchange(
        self, frame: Frame, request: int, on_output: OnOutput, *, allowance: Allowance
    ) -> tuple[int, codec.Buffer, codec.Buffer]:
        del frame, request  # nobody reads them
        return self._transport.exchange([], REQUEST, on_output, allowance=allowance)


def _gone() -> SandboxDied:
    return SandboxDied("nothing more came")


def _used(value: object) -> str:
    """What a check does first: show the value and read it as an array."""
    repr(value)
    try:
        as_array(value)
    except CheckError as error:
        return f"value, {type(error).__name__}"
    return "array"


def _mended(data: bytes) -> bytes:
    """A frame with the same content whose header is true: most damaged ones fail there and go no further."""
    tree, _, _, kind = codec.HEADER.unpack(data[: codec.HEADER.size])
    body = data[codec.HEADER.size :]
    tree = min(tree, len(body))
    return codec.HEADER.pack(tree, len(body) - tree, REQUEST, kind % 5) + body


# -- notebooks -----------------------------------------------------------------------------------------


def read_notebook(data: bytes) -> str:
    """What becomes of a file with these bytes, as a notebook, or else as a script and as Markdown, up to
    its report."""
    with in_time(len(data)):
        outcome = _handed_in(data, "hw3.ipynb")
        if outcome == "refused":
            outcome, as_markdown = _handed_in(data, "hw3.py"), _handed_in(data, "hw3.md")
            assert as_markdown in ("notebook", "refused"), (
                "a Markdown file is a notebook, or refused in a line"
            )
    assert outcome != "refused in more than a line", "an error is one line that a terminal can show"
    return outcome


def _handed_in(data: bytes, name: str) -> str:
    try:
        submission = submission_file.from_bytes(data, name=name)
    except SubmissionError as error:
        return "refused" if str(error).isprintable() else "refused in more than a line"
    planned = with_budget(submission.cells, ASSIGNMENT.budget)
    for run in planned:
        "".join(run.pieces).encode()
    _report(_grade(submission, Execution(tuple(_failed(run.cell) for run in planned), ())))
    return submission.kind


def _failed(cell: Cell) -> records.CellResult:
    """A cell whose own text is also its error's, as when student code raises what it likes."""
    return result_of(cell, [CellRun(CellStatus.RAISED, 0.0, cell.source[:2000], cell.source[-4000:])])


def _grade(submission: submission_file.SubmissionFile, execution: Execution) -> records.Grade:
    answers = find_answers(submission.cells, ASSIGNMENT, template=FOLDER.template_cells)
    recorded = recorded_in(answers)
    fingerprints(recordings_in(submission.cells, ASSIGNMENT))
    handed = {item: answer_shown(answer, recorded[item]) for item, answer in answers.items()}
    items = score(ASSIGNMENT, [], handed)
    return records.Grade(
        schema=records.SCHEMA,
        assignment=ASSIGNMENT.title,
        assignment_sha256=FOLDER.sha256,
        submission=records.SubmissionRecord(
            submission.name, submission.sha256, submission.kind, submission.size
        ),
        mode="hidden",
        seed=1,
        graded_at="2026-01-01T00:00:00+00:00",
        seconds=1.0,
        environment=records.Environment("0", "3", "here", Mode.NONE),
        limits=ASSIGNMENT.limits,
        budget=ASSIGNMENT.budget,
        earned=records.earned_points(items),
        possible=records.possible_points(items),
        decided=records.decided_points(items),
        items=items,
        cells=execution.cells,
        figures=figures_of(SubmissionFiles.of_file(submission), [], items),
        notices=submission.notices,
        attention=needs_attention(items, []),
    )


def _report(grade: records.Grade) -> None:
    """Everything that is written about a grade, and read again."""
    assert records.decode(records.encode(grade)) == grade
    html = page.render(grade)
    html.encode()
    read_page(html)
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    print_report(grade, Console(file=screen, width=100))
    screen.flush()


def read_page(page: str) -> None:
    """Raises AssertionError for what could run, be fetched, or disturb a reader."""
    reader = _Page()
    reader.feed(page)
    reader.close()


class _Page(HTMLParser):
    """Reads HTML as a browser would."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in FORBIDDEN_TAGS, tag
        for name, value in attrs:
            assert not name.startswith("on"), f"{tag} {name}={value}"
            if name in ("href", "src", "srcset", "action", "xlink:href"):
                assert (value or "").startswith(LINKS), f"{tag} {name}={value}"

    def handle_data(self, data: str) -> None:
        assert not UNPRINTABLE.search(data), ascii(data)


# -- archives ------------------------------------------------------------------------------------------

BLOCK, CHECKSUM = 512, slice(148, 156)
"""Of a tar file: the size of a header, and where its checksum is."""
EXPECTED = Expected(("hw3.ipynb",), frozenset({"linear", "relu"}))


def read_archive(data: bytes) -> str:
    """What becomes of a zip or tar file of these bytes, as it is or with the checksums that it should have.

    Nothing is written but below the grader's own folder, and no place of a file leads out of a submission.
    """
    with in_time(len(data)):
        outcome = _named(data)
        if outcome == "refused" and (mended := _checksummed(data)) != data:
            outcome = _named(mended)
    assert outcome != "refused in more than a line", "an error is one line that a terminal can show"
    return outcome


def _named(data: bytes) -> str:
    with tempfile.TemporaryDirectory() as scratch:
        home = Path(scratch)
        path = home / "handed_in" / "hw3.zip"
        path.parent.mkdir()
        path.write_bytes(data)
        try:
            package = package_of(path, EXPECTED, into=home / "into")
            files = load(package)
        except SubmissionError as error:
            return "refused" if str(error).isprintable() else "refused in more than a line"
        finally:
            assert {entry.name for entry in home.iterdir()} <= {"handed_in", "into"}
            assert [entry.name for entry in path.parent.iterdir()] == ["hw3.zip"]
        for place in files.files:
            assert place.isprintable()
            assert not {"", ".", ".."} & set(place.split("/")), place
        assert all(notice.isprintable() for notice in package.notices)
    return "package"


def _checksummed(data: bytes) -> bytes:
    """A tar file whose headers have the right checksums: most damaged ones fail there and go no further."""
    found = bytearray(data)
    for at in range(0, len(found) - BLOCK + 1, BLOCK):
        block = found[at : at + BLOCK]
        if block[257:262] == b"ustar":
            block[CHECKSUM] = b" " * 8
            block[CHECKSUM] = b"%06o\0 " % sum(block)
            found[at : at + BLOCK] = block
    return bytes(found)


TARGETS: dict[str, Callable[[bytes], str]] = {
    "frames": read_frames,
    "notebooks": read_notebook,
    "archives": read_archive,
}
CORPUS = TESTS / "fuzz" / "corpus"


def seeds(target: str) -> list[Path]:
    """The kept inputs of one target, in order."""
    return sorted(path for path in (CORPUS / target).iterdir() if path.is_file())
