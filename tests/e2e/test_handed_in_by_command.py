"""What students hand in, as `grade SUBMISSION` takes it: archives, folders, and files that mean trouble."""

from __future__ import annotations

import io
import json
import os
import subprocess
import tarfile
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from support.commands import run_grade
from support.notebooks import as_bytes, code, notebook
from support.tiny import RIGHT, make_tiny

OWN = [*RIGHT[:2], code("from own import double"), RIGHT[3]]
DOUBLE = b"def double(x):\n    return 2 * x\n"
HW = as_bytes(notebook(RIGHT))
WITH_OWN = {"hw.ipynb": as_bytes(notebook(OWN)), "own.py": DOUBLE}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """The tiny assignment, with the name of its notebook."""
    make_tiny(tmp_path)
    with (tmp_path / "assignment.toml").open("a") as manifest:
        manifest.write('\n[submission]\nnotebooks = ["hw.ipynb"]\n')
    return tmp_path


def grade(home: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    return run_grade(*arguments, cwd=home)


def graded(home: Path, *arguments: object) -> dict[str, Any]:
    """The record of a submission that is graded without a mistake of anybody but the student."""
    done = grade(home, *arguments, "--json")
    assert done.returncode == 0, done.stderr
    record: dict[str, Any] = json.loads(done.stdout)
    return record


def folder(home: Path, files: Mapping[str, bytes], name: str = "ada") -> Path:
    for place, data in files.items():
        path = home / name / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return home / name


def zipped(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return stream.getvalue()


def tarred(files: Mapping[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return stream.getvalue()


def test_a_zip_a_tar_file_and_a_folder_get_the_same_grade(home: Path) -> None:
    (home / "ada.zip").write_bytes(zipped(WITH_OWN))
    (home / "bob.tar.gz").write_bytes(tarred({f"bob/{name}": data for name, data in WITH_OWN.items()}))
    folder(home, WITH_OWN, "cyd")
    records = [graded(home, name, "--seed", 3) for name in ("ada.zip", "bob.tar.gz", "cyd/")]
    assert [record["earned"] for record in records] == [3, 3, 3]
    assert len({record["submission"]["sha256"] for record in records}) == 1
    assert all((home / f"reports/{name}/report.html").is_file() for name in ("ada.zip", "bob.tar.gz", "cyd"))


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({"inner.zip": zipped({"hw.ipynb": HW})}, "holds only a zip"),
        ({f"{number}.txt": b"" for number in range(10_000)}, "it holds 0.txt, 1.txt, 10.txt and 9997 more"),
        ({"hw.ipynb": bytes(300_000_000)}, "zip bomb"),
        ({"../hw.ipynb": HW}, "../hw.ipynb"),
    ],
    ids=["zip-in-a-zip", "ten-thousand-files", "bomb", "leads-out"],
)
def test_an_archive_that_cannot_be_graded_is_one_line(home: Path, files: dict[str, bytes], why: str) -> None:
    (home / "ada.zip").write_bytes(zipped(files))
    done = grade(home, "ada.zip")
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    (line,) = done.stderr.splitlines()
    assert "ada.zip" in line
    assert why in line, line
    assert len(line) < 400
    assert not (home / "reports").exists()
    assert not (home / "hw.ipynb").exists()


def test_ten_thousand_files_beside_the_notebook_are_bounded_and_named(home: Path) -> None:
    many = {f"data/{number}.txt": b"x" for number in range(10_000)}
    (home / "ada.zip").write_bytes(zipped({**many, **WITH_OWN}))
    record = graded(home, "ada.zip")
    assert record["earned"] == 3
    assert len(record["submission"]["files"]) <= 200
    assert any("other files were left out" in notice for notice in record["notices"])


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"random.py": b"raise SystemExit\n"}, "random.py has the name of a module"),
        ({"numpy/__init__.py": b"raise SystemExit\n"}, "numpy/ has the name of a module"),
        ({"HW.ipynb": b"{}"}, "HW.ipynb and hw.ipynb differ in capital letters only"),
        ({"Own.py": b"raise SystemExit\n"}, "Own.py and own.py differ in capital letters only"),
    ],
    ids=["like-the-standard-library", "like-numpy", "notebooks-in-other-case", "modules-in-other-case"],
)
def test_a_name_that_means_trouble_is_one_line_and_costs_nothing(
    home: Path, more: dict[str, bytes], said: str
) -> None:
    record = graded(home, folder(home, {**WITH_OWN, **more}))
    assert record["earned"] == 3
    assert len([notice for notice in record["notices"] if said in notice]) == 1, record["notices"]


def test_a_helper_that_is_a_link_is_named_and_never_read(home: Path) -> None:
    secret = home / "secret.py"
    secret.write_bytes(DOUBLE + b"WORD = 'xyzzy'\n")
    own = folder(home, {"hw.ipynb": WITH_OWN["hw.ipynb"]})
    (own / "own.py").symlink_to(secret)
    done = grade(home, own, "--json")
    assert done.returncode in (0, 1), done.stderr
    record = json.loads(done.stdout)
    assert record["earned"] == 1  # its own count of steps
    assert any("own.py: is a symbolic link" in notice for notice in record["notices"])
    assert "xyzzy" not in done.stdout
    (own / "own.py").unlink()
    os.link(secret, own / "own.py")  # a hard link is a file like any other
    assert graded(home, own)["earned"] == 3


def test_a_circular_import_and_one_that_never_returns_cost_their_own_cells_alone(home: Path) -> None:
    cells = [code("import endless"), code("from round import there"), *OWN]
    files = {
        **WITH_OWN,
        "hw.ipynb": as_bytes(notebook(cells)),
        "endless.py": b"while True: pass\n",
        "round.py": b"from trip import back\nthere = 1\n",
        "trip.py": b"from round import there\nback = 1\n",
    }
    record = graded(home, folder(home, files))
    assert record["earned"] == 3
    assert [cell["status"] for cell in record["cells"][:2]] == ["timed_out", "raised"]
    assert "circular import" in record["cells"][1]["error"]
