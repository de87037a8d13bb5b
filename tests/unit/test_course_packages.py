"""Where a regrade finds the files of a submission again."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from grader.course.packages import content_digest, kept, kept_package
from grader.digests import digest_of
from grader.gradebook.rows import SubmissionRow
from grader.handed_in.package import FileRef, Package


def package(folder: Path, *places: str, **fields: object) -> Package:
    files = []
    for place in places:
        path = folder / place.replace("/", "-")
        path.write_bytes(place.encode())
        files.append(FileRef(place, str(path), digest_of(place.encode()), len(place)))
    return msgspec.structs.replace(Package((places[0],), tuple(files)), **fields)


def row(path: str, sha256: str) -> SubmissionRow:
    return SubmissionRow(1, "HW", "ada", sha256, "ada", path, "", "")


@pytest.mark.parametrize("places", [("hw.ipynb",), ("hw.py",), ("hw.ipynb", "layers/conv.py")])
def test_what_was_kept_is_found_until_a_file_changes(tmp_path: Path, places: tuple[str, ...]) -> None:
    whole = package(tmp_path, *places, notices=("notes.pdf was left out",))
    own = row(kept(whole, tmp_path / "kept"), whole.sha256)
    assert kept_package(own) == whole
    assert content_digest(own) == whole.sha256
    Path(whole.files[-1].path).write_bytes(b"other")
    assert kept_package(own) is None


def test_a_lone_notebook_needs_no_list(tmp_path: Path) -> None:
    alone = package(tmp_path, "hw.ipynb")
    assert kept(alone, tmp_path / "kept") == str(tmp_path / "hw.ipynb")
    assert kept_package(row(str(tmp_path / "hw.ipynb"), alone.sha256)) == alone
    assert not (tmp_path / "kept").exists()


def test_a_script_of_an_older_gradebook_is_found_under_the_digest_of_today(tmp_path: Path) -> None:
    alone = package(tmp_path, "hw.py")
    older = row(alone.files[0].path, alone.files[0].sha256)
    assert content_digest(older) == alone.sha256 != older.sha256
    assert kept_package(older) == alone


@pytest.mark.parametrize("content", [b"", b"{}", b'{"notebooks": ["x.ipynb"], "files": []}', b"[" * 9])
def test_a_damaged_list_is_a_lost_file(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "list.json").write_bytes(content)
    assert kept_package(row(str(tmp_path / "list.json"), "ab")) is None
    assert kept_package(row(str(tmp_path / "gone.json"), "ab")) is None
    assert kept_package(row(str(tmp_path / "gone.ipynb"), "ab")) is None
