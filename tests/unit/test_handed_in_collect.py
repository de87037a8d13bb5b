"""What a folder or a zip of a class holds: every layout, and everything that may be wrong with it."""

import hashlib
import io
import json
import os
import resource
import stat
import struct
import subprocess
import sys
import tempfile
import tracemalloc
import zipfile
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.handed_in import archives
from grader.handed_in.collect import Refused, Submission, collect
from grader.handed_in.download_names import GradescopeMetadata, read_metadata
from grader.handed_in.graded_file import Expected
from grader.model.errors import UsageError
from grader.model.owner_hints import OwnerHint
from grader.model.text import printable

BOOK = b'{"cells": []}'
HW3 = Expected(("hw3.ipynb",))
Files = Mapping[str, bytes]


def book(text: str) -> bytes:
    return f'{{"cells": [], "by": "{text}"}}'.encode()


def folder(at: Path, files: Files) -> Path:
    for name, data in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return at


def packed(files: Files) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "private" / "kept"


@pytest.fixture(params=["folder", "zip", "zip in a folder"])
def start(request: pytest.FixtureRequest, tmp_path: Path):
    """Puts files where a class would have them: unpacked, as downloaded, or the download in a folder."""

    def put(files: Files) -> Path:
        (tmp_path / "class").mkdir()
        if request.param == "folder":
            return folder(tmp_path / "class", files)
        download = "download.zip" if request.param == "zip" else "class/download.zip"
        folder(tmp_path, {download: packed(files)})
        return tmp_path / download if request.param == "zip" else tmp_path / "class"

    return put


def found_in(start: Path, into: Path, expected: tuple[str, ...] = ("hw3.ipynb",)) -> list[Submission]:
    several = list(collect(start, into=into, expected=Expected(expected)))
    for one in several:
        assert isinstance(one, Submission), one
        for file in one.package.files:
            data = Path(file.path).read_bytes()
            assert (hashlib.sha256(data).hexdigest(), len(data)) == (file.sha256, file.size)
    assert len({one.name for one in several}) == len(several)
    return several


def short(found: Submission) -> str:
    return found.name.removeprefix("download.zip/")


def refused_in(start: Path, into: Path) -> dict[str, str]:
    several = [one for one in collect(start, into=into, expected=HW3) if isinstance(one, Refused)]
    assert all("\n" not in one.why for one in several)
    return {one.name: one.why for one in several}


# -- layouts ------------------------------------------------------------------------------------------------


def test_a_file_for_each_student(start, into):
    found = found_in(
        start({"bob.ipynb": book("b"), "ada.ipynb": book("a"), "hw3_eve.ipynb": book("e")}), into
    )
    assert [short(one) for one in found] == ["ada.ipynb", "bob.ipynb", "hw3_eve.ipynb"]
    assert [one.who.label for one in found] == ["ada", "bob", "hw3_eve"]
    assert found[2].who.words == ("hw3_eve", "eve")
    assert [(one.submitted_at, one.late) for one in found] == [("", None)] * 3


def test_a_folder_for_each_student(start, into):
    files = {
        "ada/hw3.ipynb": book("a"),
        "ada/utils.py": b"",
        "ada/scratch.ipynb": BOOK * 100,
        "ada/old/hw3.ipynb": book("old"),
        "bob/my work.ipynb": book("b"),
        "eve/solution.py": b"x = 1",
        "section B/dan/hw3/hw3.ipynb": book("d"),
        "section B/fay/hw3 (1).ipynb": book("f"),
        "section C/gus.ipynb": book("g"),
        "section C/hal.ipynb": book("h"),
    }
    found = {short(one): one for one in found_in(start(files), into)}
    assert {name: one.who.label for name, one in found.items()} == {
        "ada/hw3.ipynb": "ada",
        "bob/my work.ipynb": "bob",
        "eve/solution.py": "eve",
        "section B/dan/hw3/hw3.ipynb": "section B/dan",
        "section B/fay/hw3 (1).ipynb": "section B/fay",
        "section C/gus.ipynb": "section C/gus",
        "section C/hal.ipynb": "section C/hal",
    }
    assert list(found) == sorted(found)
    assert found["section C/gus.ipynb"].who.words == ("gus", "section C")
    assert found["section B/dan/hw3/hw3.ipynb"].who.words == ("dan", "section B")
    assert found["ada/hw3.ipynb"].notices == (
        "hw3.ipynb is graded, being named like the assignment's; "
        "not graded: ada/scratch.ipynb, old/hw3.ipynb",
    )
    assert found["bob/my work.ipynb"].notices == ()


def test_a_template_beside_a_section_hides_nobody(start, into):
    files = {f"section/{name}/hw3.ipynb": book(name) for name in ("ada", "bob")} | {"section/hw3.ipynb": BOOK}
    assert [one.who.label for one in found_in(start(files), into)] == [
        "section/ada",
        "section/bob",
        "section/hw3",
    ]


def test_one_of_few_that_holds_the_name_is_the_students_but_not_one_of_many(start, into):
    files = {
        "ada/hw3_final.ipynb": book("a"),
        "ada/scratch.ipynb": BOOK * 9,
        "B/hw3_bob.ipynb": BOOK,
        "B/hw3_eve.ipynb": BOOK,
    }
    found = found_in(start(files), into)
    assert [one.who.label for one in found] == ["B/hw3_bob", "B/hw3_eve", "ada"]
    assert short(found[2]) == "ada/hw3_final.ipynb"
    many = {f"C/{name}.ipynb": BOOK for name in ("hw3_ada", "bob", "eve", "fay")}
    assert len(found_in(folder(into.parent.parent / "more", many), into)) == 4


def test_without_a_wanted_name_one_notebook_of_a_folder_is_its_students(start, into):
    found = found_in(start({"ada/x.ipynb": BOOK, "bob/y.ipynb": BOOK, "bob/z.ipynb": BOOK}), into, ())
    assert [one.who.label for one in found] == ["ada", "bob/y", "bob/z"]
    assert all("bob" in one.who.words for one in found[1:])


def test_a_zip_for_each_student(tmp_path, into):
    files = {
        "ada.zip": packed(
            {"work/hw3.ipynb": book("a"), "work/data.csv": b"1", "__MACOSX/work/._hw3.ipynb": b"?"}
        ),
        "bob/hw3.zip": packed({"old.ipynb": BOOK * 9, "hw3.ipynb": book("b")}),
        "eve.zip": packed({"notes.txt": b"?"}),
    }
    names = ["ada.zip/work/hw3.ipynb", "bob/hw3.zip/hw3.ipynb"]
    plain = list(collect(folder(tmp_path / "class", files), into=into, expected=HW3))
    assert [one.name for one in plain] == [*names, "eve.zip"]
    assert [one.who.label for one in plain] == ["ada", "bob", "eve"]
    assert isinstance(plain[2], Refused)
    whole = folder(tmp_path, {"class.zip": packed(files)}) / "class.zip"
    assert [one.name for one in collect(whole, into=into, expected=HW3)] == [
        *names,
        "eve.zip",
    ]
    assert not list(into.glob("draft-*"))


CANVAS = {
    "lovelaceada_4711_98765_hw3-1.ipynb": book("a"),
    "lovelaceada_4711_98766_utils.py": b"",
    "lovelaceada_4711_98767_scratch.ipynb": BOOK * 9,
    "vanderbergjan_LATE_4712_98768_my_hw_3_4.ipynb": book("j"),
    "anon_Xy12z_98769_hw3.ipynb": book("x"),
    "李小龙_4713_98770_hw3.zip": packed({"hw3.ipynb": book("l")}),
}


def test_a_download_of_canvas(start, into):
    found = {one.who.number: one for one in found_in(start(CANVAS), into)}
    assert {number: (one.who.name, one.late) for number, one in found.items()} == {
        "4711": ("lovelaceada", False),
        "4712": ("vanderbergjan", True),
        "anon_Xy12z": ("", False),
        "4713": ("李小龙", False),
    }
    assert short(found["4711"]) == "lovelaceada_4711_98765_hw3-1.ipynb"
    assert "scratch.ipynb" in found["4711"].notices[0]
    assert short(found["4713"]) == "李小龙_4713_98770_hw3.zip/hw3.ipynb"


def test_dates_in_plain_names_are_not_numbers_of_canvas(start, into):
    files = {f"{name}_2026_11_hw3.ipynb": book(name) for name in ("ada", "bob")}
    assert [one.who.number for one in found_in(start(files), into)] == ["", ""]


def test_a_stray_file_does_not_hide_that_a_folder_is_a_download(start, into):
    several = list(collect(start({**CANVAS, "hw3.ipynb": BOOK, "roster.csv": b""}), into=into, expected=HW3))
    assert [one.who.number for one in several if isinstance(one, Submission)] == [
        "anon_Xy12z",
        "4711",
        "4712",
        "4713",
    ]
    assert ["not like the others" in one.why for one in several if isinstance(one, Refused)] == [True]


@pytest.mark.parametrize(
    "forged",
    [
        {
            "submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :sid: bob",
            "submission_1/hw3.ipynb": BOOK,
        },
        {f"{name}_assignsubmission_file_/hw3.ipynb": BOOK for name in ("Bob_13", "Eve_14")},
        {f"{name}_hw3.ipynb": BOOK for name in ("bob_13_15", "eve_14_16")},
    ],
)
@pytest.mark.parametrize("as_zip", [False, True])
def test_nobody_hands_in_for_others_by_the_names_in_their_folder_or_zip(tmp_path, into, forged, as_zip):
    own = {"ada.zip": packed(forged)} if as_zip else {f"ada/{name}": data for name, data in forged.items()}
    first, second = collect(folder(tmp_path / "class", {**own, "bob.ipynb": BOOK}), into=into)
    assert isinstance(first, Refused)
    assert (first.who.label, "looks like a download" in first.why) == ("ada", True)
    assert second.who.label == "bob"


def test_a_name_given_by_a_platform_is_a_hint_also_elsewhere(tmp_path, into):
    start = folder(
        tmp_path / "class",
        {"A/lovelaceada_4711_98765_hw3.ipynb": BOOK, "A/bob.ipynb": BOOK, "C/x.ipynb": BOOK},
    )
    assert "lovelaceada" in found_in(start, into, ())[1].who.words


@pytest.mark.parametrize("ending", ["_/", "/", "_"])
def test_a_download_of_moodle(start, into, ending):
    files = {
        f"Ada Lovelace_4711_assignsubmission_file{ending}hw3.ipynb": book("a"),
        f"Ada Lovelace_4711_assignsubmission_file{ending}more.ipynb": BOOK * 9,
        "Ada Lovelace_4711_assignsubmission_onlinetext_/onlinetext.html": b"?",
        f"Jan van der Berg_4712_assignsubmission_file{ending}my_hw.ipynb": book("j"),
        f"Participant_4713_assignsubmission_file{ending}hw3.ipynb": book("p"),
        f"Teilnehmerin_4714_assignsubmission_file{ending}hw3.ipynb": book("t"),
    }
    found = found_in(start(files), into)
    assert [(one.who.name, one.who.number) for one in found] == [
        ("Ada Lovelace", "4711"),
        ("Jan van der Berg", "4712"),
        ("", "4713"),
        ("", "4714"),
    ]
    assert "more.ipynb" in found[0].notices[0]


METADATA = """---
submission_101:
  :submitters:
  - :name: Ada Lovelace
    :sid: '0815'
    :email: ada@example.edu
  :created_at: 2026-11-20 18:20:30.123456000 -07:00
  :score: 3.0
  :results:
    tests:
    - name: one
      output: |-
        submission_102:
          :submitters:
          - :name: Mallory
    extra: ":submitters:"
  :history:
  - :created_at: 2025-01-01 00:00:00 Z
submission_102:
  :submitters:
  - :name: "Zo\\xEB \\"Z\\" \\u0160"
    :sid: &1 'it''s'
    :email:
  - :name: Grace
    :sid: *1
    :email: grace@example.edu
  :created_at: !ruby/object:ActiveSupport::TimeWithZone
    utc: 2026-11-21 01:00:00.000000000 Z
    zone: !ruby/object:ActiveSupport::TimeZone
      name: Etc/UTC
submission_103: {}
"""


@pytest.mark.parametrize("root", ["", "assignment_55_export/"])
def test_a_download_of_gradescope(start, into, root):
    names = {"101/hw3.ipynb": b"a", "101/utils.py": b"", "102/sub/hw3.ipynb": b"z", "103/hw3.ipynb": b"?"}
    files = {f"{root}submission_{name}": data for name, data in names.items()}
    found = found_in(start({**files, f"{root}submission_metadata.yml": METADATA.encode()}), into)
    assert [(one.who.id, one.who.name, one.who.email, one.submitted_at) for one in found] == [
        ("0815", "Ada Lovelace", "ada@example.edu", "2026-11-21T01:20:30+00:00"),
        ("it's", 'Zoë "Z" Š', "", "2026-11-21T01:00:00+00:00"),
        ("", "Grace", "grace@example.edu", "2026-11-21T01:00:00+00:00"),
        ("", "", "", ""),
    ]
    assert found[1].sha256 == found[2].sha256
    assert short(found[1]).endswith("submission_102/sub/hw3.ipynb (it's)")
    assert found[3].who.label == "submission_103"


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=20))
def test_a_quoted_name_is_read_as_it_is_and_stays_one_persons(name):
    lines = (
        f"submission_1:\n  :submitters:\n  - :name: {json.dumps(name, ensure_ascii=False)}\n    :sid: '7'\n"
    )
    assert read_metadata(io.BytesIO(lines.encode())) == {
        "submission_1": GradescopeMetadata((OwnerHint(id="7", name=printable(name, limit=300), label="7"),))
    }


@given(
    st.lists(
        st.sampled_from(
            [
                "submission_1:",
                "  :submitters:",
                "  - :name: x",
                "    :sid: 'y",
                "  :created_at: 2026-13-99 99:00:00",
                ": :",
                "\0",
            ]
        )
        | st.text(max_size=9),
        max_size=12,
    )
)
def test_any_metadata_is_read_without_an_error(lines):
    known = read_metadata(io.BytesIO("\n".join(lines).encode("utf-8", "surrogatepass")))
    assert set(known) <= {"submission_1"}


def test_metadata_of_any_bytes_is_no_error(tmp_path, into):
    for number, data in enumerate(
        [b"\xff\0" * 999, b"submission_1:\n" * 999, b"submission_1:" + b" " * (3 << 20), b""]
    ):
        files = {"submission_metadata.yml": data, "submission_1/hw3.ipynb": BOOK}
        assert [one.who.label for one in found_in(folder(tmp_path / str(number), files), into)] == [
            "submission_1"
        ]


def test_what_is_nobodys_work_is_left_out(start, into):
    files = {
        "ada.ipynb": BOOK,
        ".hidden.ipynb": BOOK,
        ".ipynb_checkpoints/ada-checkpoint.ipynb": BOOK,
        "__MACOSX/._ada.ipynb": BOOK,
        "__pycache__/x.ipynb": BOOK,
        "reports/ada/old.ipynb": BOOK,
        "roster.csv": b"id",
    }
    assert [short(one) for one in found_in(start(files), into)] == ["ada.ipynb"]


# -- where the bytes are ------------------------------------------------------------------------------------


def test_plain_files_stay_where_they_are_and_zips_are_kept_by_content(tmp_path, into):
    start = folder(tmp_path / "class", {"ada.ipynb": BOOK, "bob.zip": packed({"x.ipynb": BOOK})})
    ada, bob = found_in(start, into)
    assert ada.path == start / "ada.ipynb"
    assert bob.path == into / ada.sha256[:2] / f"{ada.sha256}.ipynb"
    assert stat.S_IMODE(into.stat().st_mode) == 0o700
    assert stat.S_IMODE(bob.path.stat().st_mode) == 0o600


def test_what_is_kept_inside_the_start_is_not_handed_in_again(tmp_path):
    start = folder(tmp_path / "class", {"ada.zip": packed({"hw3.ipynb": BOOK}), "bob.ipynb": BOOK})
    into = start / "out" / "kept"
    first = found_in(start, into)
    assert [one.name for one in first] == ["ada.zip/hw3.ipynb", "bob.ipynb"]
    again = [one for one in collect(start, into=into, expected=HW3) if isinstance(one, Submission)]
    assert again == first


def test_a_kept_file_is_written_once_and_mended_if_cut(tmp_path, into):
    start = (
        folder(tmp_path, {"class.zip": packed({"ada.ipynb": book("a"), "bob.ipynb": book("a")})})
        / "class.zip"
    )
    path = found_in(start, into)[0].path
    written = path.stat().st_ino
    assert [one.path for one in found_in(start, into)] == [path, path]
    assert path.stat().st_ino == written
    path.write_bytes(b"")
    assert found_in(start, into)[0].path.read_bytes() == book("a")


def test_a_private_folder_that_cannot_be_written_is_one_error(tmp_path):
    start = folder(tmp_path, {"class.zip": packed({"ada.ipynb": BOOK}), "file": b""}) / "class.zip"
    with pytest.raises(UsageError, match="cannot keep submissions here"):
        list(collect(start, into=tmp_path / "file" / "kept"))
    (tmp_path / "link").symlink_to(tmp_path)
    with pytest.raises(UsageError, match="symbolic link"):
        list(collect(start, into=tmp_path / "link"))


def test_a_full_disk_is_one_error(tmp_path, into):
    start = folder(tmp_path, {"class.zip": packed({"ada.ipynb": os.urandom(1 << 16)})}) / "class.zip"
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 12, before[1]))
    try:
        with pytest.raises(UsageError, match="File too large"):
            list(collect(start, into=into))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not list(into.rglob("draft-*"))


@pytest.mark.parametrize("name", ["nothing", "ada.ipynb"])
def test_a_start_that_is_neither_folder_nor_zip(tmp_path, into, name):
    folder(tmp_path, {"ada.ipynb": BOOK})
    with pytest.raises(UsageError, match="name a folder of submissions or a zip"):
        collect(tmp_path / name, into=into)


# -- what is wrong ------------------------------------------------------------------------------------------


def test_each_thing_on_disk_that_cannot_be_graded_is_one_line_and_stops_nothing(tmp_path, into):
    start = folder(
        tmp_path / "class", {"ada.ipynb": BOOK, "bob/essay.pdf": b"", "notes.txt": b"", "utils.py": b""}
    )
    (start / "empty").mkdir()
    (start / "link.ipynb").symlink_to(start / "ada.ipynb")
    (start / "links").symlink_to(tmp_path)
    os.mkfifo(start / "pipe.ipynb")
    (start / os.fsdecode(b"caf\xe9.ipynb")).write_bytes(BOOK)
    with (start / "large.ipynb").open("wb") as file:
        file.truncate(200_000_001)
    lines = refused_in(start, into)
    assert {name: why.split(";")[0].split(":")[0] for name, why in lines.items()} == {
        "bob": "holds no notebook (.ipynb) and no script (.py)",
        "caf?.ipynb": "its name is not UTF-8",
        "empty": "holds no notebook (.ipynb) and no script (.py)",
        "large.ipynb": "holds 200,000,001 bytes",
        "link.ipynb": "is a symbolic link, which is not followed",
        "links": "is a symbolic link, which is not followed",
        "notes.txt": "is no notebook",
        "pipe.ipynb": "is not a regular file",
        "utils.py": "a script beside notebooks is taken for their helper",
    }
    assert "essay.pdf" in lines["bob"]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read_is_one_line(tmp_path, into):
    start = folder(tmp_path / "class", {"ada.ipynb": BOOK, "bob.ipynb": BOOK, "eve/hw3.ipynb": BOOK})
    (start / "bob.ipynb").chmod(0)
    (start / "eve").chmod(0)
    try:
        lines = refused_in(start, into)
    finally:
        (start / "eve").chmod(0o700)
    assert list(lines) == ["bob.ipynb", "eve"]
    assert all("permission denied" in why for why in lines.values())


def test_an_empty_start_is_one_line(start, into):
    assert len(refused_in(start({}), into)) == 1


def test_names_that_look_alike_are_told_apart(tmp_path, into):
    start = folder(tmp_path / "class", {"a\nb.ipynb": BOOK, "a\tb.ipynb": BOOK})
    assert [one.name for one in found_in(start, into)] == ["a?b.ipynb", "a?b.ipynb (2)"]


def member(name: str, *, mode: int = 0, flags: int = 0) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name)
    info.external_attr = mode << 16
    info.flag_bits = flags
    return info


def zip_at(path: Path, entries: list[tuple[zipfile.ZipInfo | str, bytes]]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for info, data in entries:
            archive.writestr(info, data, zipfile.ZIP_DEFLATED)
    return path


@pytest.mark.parametrize(
    ("info", "why"),
    [
        (member("../../ada.ipynb"), "leads out of the zip"),
        (member("/etc/ada.ipynb"), "leads out of the zip"),
        (member("C:\\ada.ipynb"), "leads out of the zip"),
        (member(""), "has no name"),
        (member("./."), "has no name"),
        (member("a\\..\\..\\ada.ipynb"), "leads out of the zip"),
        (member("ada.ipynb", mode=stat.S_IFLNK | 0o777), "symbolic link"),
        (member("ada.ipynb", mode=stat.S_IFIFO | 0o600), "not a regular file"),
    ],
)
def test_a_hostile_member_is_one_line_and_the_others_are_found(tmp_path, into, info, why):
    start = zip_at(tmp_path / "class.zip", [(info, BOOK), ("bob.ipynb", BOOK)])
    first, second = collect(start, into=into)
    assert isinstance(first, Refused)
    assert why in first.why
    assert second.name == "bob.ipynb"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["class.zip", "private"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_two_members_of_one_name_are_both_refused(tmp_path, into):
    start = zip_at(tmp_path / "class.zip", [("ada.ipynb", BOOK), ("./ada.ipynb", b"{}"), ("bob.ipynb", BOOK)])
    assert "2 files of this name" in next(iter(refused_in(start, into).values()))
    assert len([one for one in collect(start, into=into) if isinstance(one, Submission)]) == 1


def changed(path: Path, name: bytes, at: int, value: bytes, *, local: int | None = None) -> Path:
    """The zip with bytes of one member's entry in the table of contents (and of its own header) changed."""
    data = bytearray(path.read_bytes())
    entry = data.index(name, data.index(b"PK\x01\x02")) - 46
    data[entry + at : entry + at + len(value)] = value
    if local is not None:
        head = data.index(name) - 30
        data[head + local : head + local + len(value)] = value
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("at", "value", "local", "why"),
    [
        (8, struct.pack("<H", 1), 6, "encrypted"),
        (16, b"\0\0\0\0", 14, "damaged"),  # the checksum
        (24, struct.pack("<I", 3), 22, "damaged"),  # the size once unpacked
        (10, struct.pack("<H", 98), 8, "packed in a way"),
        (24, struct.pack("<I", 4_000_000_000), 22, "zip bomb"),
        (42, struct.pack("<I", 9999), None, "damaged"),  # where it begins
        (6, struct.pack("<H", 99), None, "packed in a way"),
    ],
)
def test_a_damaged_member_is_one_line(tmp_path, into, at, value, local, why):
    start = zip_at(tmp_path / "class.zip", [("ada.ipynb", BOOK)])
    assert (
        why
        in refused_in(changed(start, b"ada.ipynb", at, value, local=local), into)[
            "ada.ipynb" if at != 6 else "class.zip"
        ]
    )
    assert not list(into.rglob("*.ipynb"))


DAMAGED = packed({"ada/hw3.ipynb": book("a"), "bob.zip": packed({"hw3.ipynb": BOOK}), "é.ipynb": BOOK * 9})


@given(
    st.lists(
        st.tuples(st.integers(0, len(DAMAGED) - 1), st.binary(min_size=1, max_size=4)), min_size=1, max_size=6
    ),
    st.integers(0, len(DAMAGED)),
)
def test_damage_anywhere_in_a_zip_is_reported_in_lines(changes, end):
    data = bytearray(DAMAGED)
    for at, value in changes:
        data[at : at + len(value)] = value
    with tempfile.TemporaryDirectory() as name:
        start = folder(Path(name), {"class.zip": bytes(data[: end or None])}) / "class.zip"
        several = list(collect(start, into=Path(name) / "kept"))
    assert several
    assert all("\n" not in one.why for one in several if isinstance(one, Refused))


@pytest.mark.parametrize("data", [b"", b"PK", b"no zip", packed({"ada.ipynb": BOOK})[:-30]])
def test_what_is_no_zip_is_one_line(tmp_path, into, data):
    start = folder(tmp_path / "class", {"bob.zip": data, "ada.ipynb": BOOK})
    assert "the zip is damaged" in refused_in(start, into)["bob.zip"]
    assert "the zip is damaged" in refused_in(start / "bob.zip", into)["bob.zip"]


def test_a_bomb_is_refused_before_it_takes_memory_or_disk(tmp_path, into):
    start = zip_at(tmp_path / "class.zip", [("ada.ipynb", bytes(100 << 20)), ("bob.ipynb", BOOK)])
    tracemalloc.start()
    lines = refused_in(start, into)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert "zip bomb" in lines["ada.ipynb"]
    assert peak < 8 << 20
    assert len(list(into.rglob("*.ipynb"))) == 1


def test_many_members_together_are_no_bomb_either(tmp_path, into, monkeypatch):
    monkeypatch.setattr(archives, "ALLOWANCE", (1 << 20, 1))
    start = zip_at(tmp_path / "class.zip", [(f"{n}.ipynb", bytes(300_000)) for n in range(9)])
    assert ["zip bomb" in why for why in refused_in(start, into).values()] == [True] * 6


def test_a_table_of_contents_without_end_is_one_line(tmp_path, into, monkeypatch):
    start = zip_at(tmp_path / "class.zip", [(f"{n}.ipynb", b"") for n in range(99)])
    monkeypatch.setattr(archives, "MAX_MEMBERS", 50)
    assert "more than 50 files" in refused_in(start, into)["class.zip"]
    monkeypatch.setattr(archives, "MAX_DIRECTORY", 1000)
    assert "table of contents is too long" in refused_in(start, into)["class.zip"]


def test_zips_in_zips_end_somewhere(tmp_path, into):
    inner = packed({"hw3.ipynb": BOOK})
    for name in ("c.zip", "b.zip", "ada.zip"):
        inner = packed({name: inner})
    start = folder(tmp_path, {"class.zip": inner}) / "class.zip"
    assert "a zip in a zip" in refused_in(start, into)["ada.zip"]


def test_names_of_other_code_pages_are_read(tmp_path, into):
    start = zip_at(tmp_path / "class.zip", [("caf__.ipynb", BOOK), ("r_sum_.ipynb", BOOK)])
    data = start.read_bytes().replace(b"caf__", "café".encode()).replace(b"r_sum_", "résumé".encode("cp437"))
    start.write_bytes(data)
    assert [one.name for one in found_in(start, into)] == ["café.ipynb", "résumé.ipynb"]


def test_folders_are_no_files_however_they_are_written(tmp_path, into):
    start = zip_at(tmp_path / "class.zip", [("ada\\", b""), ("ada\\hw3.ipynb", BOOK), ("bob/", b"")])
    assert [one.name for one in found_in(start, into)] == ["ada/hw3.ipynb"]


def test_a_zip_in_the_large_format_is_read(tmp_path, into):
    start = tmp_path / "class.zip"
    with zipfile.ZipFile(start, "w") as archive, archive.open("ada.ipynb", "w", force_zip64=True) as file:
        file.write(BOOK)
    assert [one.package.size for one in found_in(start, into)] == [len(BOOK)]


PEAK = """
import sys, tracemalloc
from pathlib import Path
from grader.handed_in.collect import collect

several = collect(Path(sys.argv[1]), into=Path(sys.argv[2]))
names = [next(several).name]
tracemalloc.start()
names += [one.name for one in several]
print(tracemalloc.get_traced_memory()[1], *names)
"""


@pytest.mark.parametrize(("is_zip", "count"), [(False, 5000), (True, 1000)])
def test_thousands_of_files_come_in_order_and_memory_stays_flat(tmp_path, into, is_zip, count):
    files = {f"{n:05}.ipynb": b'"' + f"{n}".encode() * 2000 for n in range(count)}
    start = folder(tmp_path, {"c.zip": packed(files)}) / "c.zip" if is_zip else folder(tmp_path / "c", files)
    # In a process of its own: what tests before left in this one decides when garbage is collected.
    command = [sys.executable, "-c", PEAK, str(start), str(into)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True).stdout
    peak, *names = said.split()
    assert names == sorted(files)
    assert int(peak) < 5 << 20


def test_a_start_is_looked_at_while_it_is_read(tmp_path, into):
    several = collect(folder(tmp_path / "class", {"a/hw3.ipynb": BOOK, "b/hw3.ipynb": BOOK}), into=into)
    assert next(several).name == "a/hw3.ipynb"
    (tmp_path / "class/b/hw3.ipynb").unlink()
    assert isinstance(next(several), Refused)
