"""One file of a submission, which may be anything, read and turned into cells.

Nothing in the file is run, symbolic links are not followed, and sizes are checked before memory is taken.
Whatever is wrong becomes one SubmissionError that names the file and says what to do.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from grader.model.errors import SubmissionError
from grader.model.text import printable, storable
from grader.notebooks.cells import Cell
from grader.notebooks.ipynb import notebook_cells, python_of
from grader.notebooks.markdown import markdown_cells
from grader.notebooks.recordings import whole_number
from grader.notebooks.script import script_cells

MAX_BYTES = 200_000_000
"""Bytes of one file. Generous: saved outputs of 50 MB do no harm and cost nobody points."""
MAX_VALUES = 10_000_000
"""Values in a notebook's JSON. Each takes about a hundred bytes of memory, however short it is written."""
MAX_SCRIPT = 4_000_000
"""Bytes of a script."""

# A string that nothing ends goes to the end of the file: otherwise each quote in it is tried anew.
_STRING = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)', re.DOTALL)
_KINDS = (".ipynb", ".py", ".md")
_ADDED = {".txt": (".ipynb", ".py"), ".json": (".ipynb",)}
"""Endings that browsers add, and to what."""
_SEPARATORS = (b"[", b"{", b",")
_AGAIN = "save it and hand it in again"


@dataclass(frozen=True, slots=True)
class SubmissionFile:
    """A submission's file, read but not run.

    ``kind`` is "notebook" or "script", ``sha256`` the digest of the file's bytes, ``size`` their number.
    ``module_name`` is the value of ``__name__`` while the cells run: for a plain script its own name, so that
    its ``if __name__ == "__main__":`` part does not run. ``notices`` are one line each, for people.
    ``python`` is the version that a notebook was saved with ("3.13"), "" if it does not say.
    """

    name: str
    kind: str
    sha256: str
    size: int
    cells: tuple[Cell, ...]
    notices: tuple[str, ...] = ()
    module_name: str = "__main__"
    python: str = ""


def read(path: Path, *, max_bytes: int = MAX_BYTES) -> SubmissionFile:
    """Read a submission from a file. Raises SubmissionError, one line, for what cannot be graded."""
    name = printable(path.name or str(path), limit=300)
    data = _bytes_of(path, name, max_bytes)
    return from_bytes(data, name=name)


def bytes_of(path: Path) -> bytes:
    """The bytes of a file that could be a submission, to be read elsewhere. Raises SubmissionError."""
    return _bytes_of(path, printable(path.name or str(path), limit=300), MAX_BYTES)


def from_bytes(data: bytes, *, name: str) -> SubmissionFile:
    """Read a submission from its bytes; the ending of ``name`` decides how. Raises SubmissionError."""
    suffix = _suffix(name)
    kind, module, python = "notebook", "__main__", ""
    if suffix == ".ipynb":
        tree, repaired = _json_tree(data, name)
        cells, notices = notebook_cells(tree, name=name)
        python = python_of(tree)
    elif suffix == ".md":
        text, repaired = _script_text(data, name)
        cells, notices = markdown_cells(text, name=name)
    else:
        text, repaired = _script_text(data, name)
        cells, notices, is_percent = script_cells(text, name=name)
        kind, module = "script", "__main__" if is_percent else _module_name(name)
    if repaired:
        notices = (*notices, "the file is not UTF-8 throughout; unreadable characters were replaced")
    digest = hashlib.sha256(data).hexdigest()
    return SubmissionFile(name, kind, digest, len(data), cells, notices, module, python)


def _bytes_of(path: Path, name: str, max_bytes: int) -> bytes:
    try:
        before = path.lstat()
        _assert_regular(before.st_mode, name)
        _suffix(name)
        # The file may have been replaced since lstat: follow no link, do not wait for a pipe's other end.
        # Not every system has all of these flags.
        flags = os.O_RDONLY
        for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC", "O_BINARY"):
            flags |= getattr(os, flag, 0)
        with os.fdopen(os.open(path, flags), "rb") as file:
            status = os.fstat(file.fileno())
            _assert_regular(status.st_mode, name)
            _assert_size(status.st_size, name, max_bytes)
            data = file.read(max_bytes + 1)  # it may grow while it is read
    except (OSError, ValueError) as error:
        raise SubmissionError(f"{name}: {_why(error)}") from None
    _assert_size(len(data), name, max_bytes)
    return data


def _assert_regular(mode: int, name: str) -> None:
    if stat.S_ISREG(mode):
        return
    if stat.S_ISDIR(mode):
        raise SubmissionError(f"{name}: is a folder; name the .ipynb or .py file inside it")
    if stat.S_ISLNK(mode):
        raise SubmissionError(f"{name}: is a symbolic link, which is not followed; name the file itself")
    raise SubmissionError(f"{name}: is not a regular file; hand in a notebook (.ipynb) or a script (.py)")


def _assert_size(size: int, name: str, max_bytes: int) -> None:
    if size > max_bytes:
        raise SubmissionError(
            f"{name}: holds {size:,} bytes or more; at most {max_bytes:,} can be graded: "
            f"clear its outputs, {_AGAIN}"
        )
    if not size:
        raise SubmissionError(f"{name}: the file is empty; {_AGAIN}")


def _why(error: OSError | ValueError) -> str:
    """Why the file could not be opened, in words for the person who named it."""
    number = error.errno if isinstance(error, OSError) else None
    if number in {errno.ENOENT, errno.ENOTDIR}:
        return "no such file; check its name and folder"
    if number in {errno.EACCES, errno.EPERM}:
        return "may not be read: permission denied; change the file's permissions"
    if number == errno.ELOOP:
        return "is a symbolic link, which is not followed; name the file itself"
    reason = os.strerror(number) if number is not None else "not a usable file name"
    return f"cannot be read: {reason}"


def ending_of(name: str) -> str:
    """A file name's ending in lower case, with its dot; ".tar.gz" is one ending.

    What a browser adds does not count: "hw3.ipynb.txt" and "hw3.ipynb.json" end in ".ipynb".
    """
    lower = name.lower()
    stem, ending = os.path.splitext(lower)  # noqa: PTH122  # a name; making a Path of it is slow
    if ending in _ADDED:
        before = os.path.splitext(stem)[1]  # noqa: PTH122
        return before if before in _ADDED[ending] else ending
    if ending == ".gz" and stem.endswith(".tar"):
        return ".tar.gz"
    return {".tgz": ".tar.gz", ".markdown": ".md"}.get(ending, ending)


def _suffix(name: str) -> str:
    suffix = ending_of(name)
    if suffix not in _KINDS:
        seen = f"a file ending in {suffix}" if suffix else "a file without an ending"
        raise SubmissionError(f"{name}: is {seen}; hand in a notebook (.ipynb) or a script (.py)")
    return suffix


def _module_name(name: str) -> str:
    stem = Path(name).stem
    return stem if stem and stem != "__main__" else "submission"


def json_tree(data: bytes, name: str) -> object:
    """The JSON of a notebook that can be read. Raises SubmissionError for any other."""
    return _json_tree(data, name)[0]


def _json_tree(data: bytes, name: str) -> tuple[object, bool]:
    _assert_few_values(data, name)
    text, repaired = _decoded(data)
    try:
        return json.loads(text, parse_int=whole_number), repaired
    except RecursionError:
        raise SubmissionError(f"{name}: not a notebook: its JSON is nested too deeply") from None
    except json.JSONDecodeError as error:
        # Some of Python's messages end in "at" themselves: "Unterminated string starting at".
        place = f"{error.msg.removesuffix(' at')} at line {error.lineno}, column {error.colno}"
        raise SubmissionError(f"{name}: not a notebook: not JSON ({place}); {_AGAIN}") from None
    except (ValueError, MemoryError):
        raise SubmissionError(f"{name}: not a notebook: its JSON cannot be read; {_AGAIN}") from None


def _assert_few_values(data: bytes, name: str) -> None:
    """Count the values before they are parsed: two bytes of JSON can become a hundred bytes of memory.

    Each value follows one of three separators. Counting those in the whole file is fast and never too low;
    only if it finds too many are the strings, which may hold commas, taken out and the rest counted again.
    """
    if sum(map(data.count, _SEPARATORS)) <= MAX_VALUES:
        return
    bare = _STRING.sub(b"", data)
    if (count := sum(map(bare.count, _SEPARATORS))) > MAX_VALUES:
        raise SubmissionError(
            f"{name}: holds about {count:,} values; at most {MAX_VALUES:,} can be graded: "
            f"clear its outputs, {_AGAIN}"
        )


def _decoded(data: bytes) -> tuple[str, bool]:
    """The text, and whether it had to be repaired. UTF-8, or what the first bytes show (a BOM, UTF-16)."""
    encoding = json.detect_encoding(data)
    try:
        return data.decode(encoding), False
    except UnicodeDecodeError:
        return data.decode(encoding, "replace"), True


def _script_text(data: bytes, name: str) -> tuple[str, bool]:
    if len(data) > MAX_SCRIPT:
        raise SubmissionError(
            f"{name}: a script of {len(data):,} bytes; at most {MAX_SCRIPT:,} can be graded: "
            "keep data in files of their own"
        )
    text, repaired = _decoded(data)
    if "\0" in text:
        raise SubmissionError(f"{name}: not a script: it holds binary data; hand in Python source")
    return storable(text), repaired
