"""Feedback on its way to students: zips as Moodle and Canvas take them, a table for mail, PDF.

What a platform needs to know a file by is in the names of its download, which submissions are called by.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import msgspec

from grader.course.feedback import PAGE, PDF, Made, keep, last_told
from grader.files import cannot_write, write_whole
from grader.gradebook.people import LOGIN
from grader.gradebook.spreadsheets import write_table
from grader.handed_in import download_names
from grader.model.errors import UsageError

Unsent = tuple[str, str]
"""Whose feedback is not in a zip or table, and why."""
BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PDF_SECONDS = 120
_SWITCHES = (
    "--headless=new",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--no-pdf-header-footer",
)


def write_zip(
    to: Path, made: Sequence[Made], out: Path, platform: str, numbers: Mapping[str, str], *, everything: bool
) -> tuple[int, list[Unsent]]:
    """Write the zip of what was not sent to the platform yet; how many students are in it, and who is not.

    ``numbers`` are the students' ids by the platform's numbers for them. Raises UsageError.
    """
    by_student = {student: number for number, student in numbers.items() if not number.startswith(LOGIN)}
    left, sent = list[Unsent](), list[Made]()
    draft = to.with_name(f".{to.name}.{os.getpid()}")
    try:
        to.parent.mkdir(parents=True, exist_ok=True)
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED) as archive:
            for one in due(made, platform, everything=everything):
                number = by_student.get(one.student.id, "")
                entries = _moodle(one, number) if platform == "moodle" else _canvas(one)
                if isinstance(entries, str):
                    left.append((one.whose, entries))
                    continue
                for name, file in entries.items():
                    archive.writestr(_entry(name), (out / one.folder / file).read_bytes())
                sent.append(one)
        draft.replace(to)
    except OSError as error:
        raise cannot_write(to, error.strerror) from None
    finally:
        draft.unlink(missing_ok=True)
    _delivered(sent, out, platform)
    return len(sent), left


def due(made: Iterable[Made], way: str, *, everything: bool) -> list[Made]:
    """Those whose feedback was not sent this way since it changed."""
    return [one for one in made if everything or one.delivered.get(way) != one.digest]


def _delivered(sent: Iterable[Made], out: Path, way: str) -> None:
    for one in sent:
        if (told := last_told(out, one.folder)) is not None:
            delivered = {**told.delivered, way: one.digest}
            keep(out, one.folder, msgspec.structs.replace(told, delivered=delivered))


def _entry(name: str) -> zipfile.ZipInfo:
    """With a fixed time: the same feedback is the same zip."""
    entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def _moodle(one: Made, number: str) -> dict[str, str] | str:
    """The zip's names with their files, or why there can be none.

    Moodle splits a folder's name at underscores, and takes the second part for the participant.
    """
    names = filter(None, map(download_names.moodle, one.name.split("/")))
    known = number or next((name.who.number for name in names if not name.doubt), "")
    if not known:
        return "no participant number: grade a download of Moodle's, or give its worksheet as --roster"
    called = (one.student.name or "Participant").replace("_", " ").replace("/", " ").strip()
    return {f"{called}_{known}_assignsubmission_file_/{file}": file for file in one.files}


def _canvas(one: Made) -> dict[str, str] | str:
    """As ``_moodle``. Canvas shows a file under the name that the student gave theirs: a notebook's."""
    notebooks = [file for file in one.files if file.endswith(".ipynb")]
    if not notebooks:
        return "their notebook is not in their feedback, and the page would have its name"
    names = {file: name for file, name in one.uploads.items() if file in notebooks}
    names = names or dict.fromkeys(notebooks[:1], next(filter(_is_canvas, one.name.split("/")), ""))
    known = {name: file for file, name in names.items() if _is_canvas(name)}
    if not known:
        return "no number of Canvas's for their file: grade a download of Canvas's"
    fits = {name: file for name, file in known.items() if name.lower().endswith(".ipynb")}
    if not fits:
        file = next(iter(known)).rpartition("_")[2]
        return f"handed in {file}, and Canvas would show a notebook under that name"
    return fits


def _is_canvas(name: str) -> bool:
    return download_names.canvas(name) is not None


def write_mail_table(to: Path, made: Sequence[Made], out: Path, *, everything: bool) -> list[Unsent]:
    """Write a table for a mail merge of what was not sent yet; who is not in it. Raises UsageError."""
    some = due(made, "mail", everything=everything)
    sent = [one for one in some if one.student.email]
    left = [(one.whose, "no e-mail address on the roster") for one in some if one not in sent]
    rows = [(one.student.email, one.student.name, str((out / one.folder / PAGE).absolute())) for one in sent]
    # With a byte-order mark: without, Excel shows names in another alphabet as signs.
    write_whole(to, "".join(write_table(("email", "name", "file"), rows)).encode("utf-8-sig"))
    _delivered(sent, out, "mail")
    return left


def pdf_of(page: Path) -> None:
    """The page as PDF beside it, by a browser: the page's own policy allows no script. Raises UsageError."""
    browser = next((found for name in BROWSERS if (found := shutil.which(name))), None)
    if browser is None:
        raise UsageError(
            "--pdf needs Chromium or Chrome, and there is none; the pages print well from any browser"
        )
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    as_root = ["--no-sandbox"] if is_root else []  # Chromium refuses root otherwise
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, *_SWITCHES, *as_root, f"--user-data-dir={profile}"]
        target = page.with_name(PDF)
        command += [f"--print-to-pdf={target.absolute()}", page.absolute().as_uri()]
        target.unlink(missing_ok=True)
        try:
            subprocess.run(command, check=True, timeout=PDF_SECONDS, capture_output=True)  # noqa: S603  # no shell
        except (subprocess.SubprocessError, OSError) as error:
            raise UsageError(f"{target}: the browser {browser} made no PDF: {error}") from None
        if not target.is_file():
            raise UsageError(f"{target}: the browser {browser} ended without a PDF")
