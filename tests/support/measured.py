"""Zygotes for tests: where coverage is measured, what runs in their processes is measured too."""

from __future__ import annotations

import atexit
import functools
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

import grader
from grader.sandbox.zygote import AGENT, Zygote

from .line_recorder import MAX_LINES, package_files
from .paths import TESTS

PACKAGE = Path(grader.__file__).parent  # as the interpreter names its files: they are compared as text


def start_zygote(
    *preload: str, entry: str = AGENT, import_path: Sequence[Path] = (), into: Path | None = None
) -> Zygote:
    """As ``Zygote.start``. ``into`` is the file for the lines, by default this run's own, if it has one."""
    into = into or _this_runs_lines()
    if into is None:
        return Zygote.start(preload=preload, entry=entry, import_path=import_path)
    stand_in = f"measured_{entry.rpartition('.')[2]}"
    source = (
        f"from support import line_recorder\nline_recorder.start({str(into)!r})\n"
        f"from {entry} import make_shell, prepare, serve\n"
    )
    (into.parent / f"{stand_in}.py").write_text(source)
    return Zygote.start(preload=preload, entry=stand_in, import_path=[into.parent, TESTS, *import_path])


def new_lines(folder: Path) -> Path:
    """A file in which no line is noted yet."""
    path = folder / "lines"
    path.write_bytes(bytes(len(package_files(PACKAGE)) * MAX_LINES))
    return path


def noted(path: Path) -> dict[str, list[int]]:
    """The numbers of the lines that ran, by file."""
    lines = path.read_bytes()
    return {
        str(file): [n for n in range(MAX_LINES) if lines[place * MAX_LINES + n]]
        for place, file in enumerate(package_files(PACKAGE))
    }


@functools.cache
def _this_runs_lines() -> Path | None:
    """The file for what all zygotes of this process run; it joins the other measurements in the end."""
    try:
        from coverage import Coverage  # noqa: PLC0415  # only where it is measured
    except ImportError:
        return None
    running = Coverage.current()
    if running is None:
        return None
    path = new_lines(Path(tempfile.mkdtemp(prefix="chainrule-lines-")))
    atexit.register(_save, path, running.get_data().base_filename())
    return path


def _save(path: Path, base: str) -> None:
    from coverage import CoverageData  # noqa: PLC0415  # as above

    data = CoverageData(base, suffix=True)
    data.add_lines({file: lines for file, lines in noted(path).items() if lines})
    data.write()
    shutil.rmtree(path.parent)
