"""What makes one submission: which file is graded, what comes along, what a person names, how it travels."""

import gzip
import io
import json
import tarfile
import time
import zipfile
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.handed_in import assemble, download_names, named, tarballs
from grader.handed_in.archives import Unusable
from grader.handed_in.collect import Refused, Submission, collect
from grader.handed_in.graded_file import Expected
from grader.handed_in.named import package_of
from grader.handed_in.package import FileRef, Package, as_bytes, from_bytes, load
from grader.model.errors import InfrastructureError, SubmissionError

NAMES = frozenset({"linear", "relu", "sgd"})
HW3 = Expected(("hw3.ipynb",), NAMES)
Files = Mapping[str, bytes]


def defining(*names: str, more: str = "") -> bytes:
    return "".join(f"def {name}(x):\n    return x\n\n\n" for name in names).encode() + more.encode()


def book(*names: str, more: str = "") -> bytes:
    source = defining(*names, more=more).decode()
    return json.dumps({"cells": [{"cell_type": "code", "source": source}]}).encode()


ALL = tuple(sorted(NAMES))


def folder(at: Path, files: Files) -> Path:
    for name, data in files.items():
        path = at / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return at


def zipped(files: Files) -> bytes:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data.getvalue()


def tarred(files: Files, *, mode: str = "w:gz", kind: int = tarfile.GNU_FORMAT) -> bytes:
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode=mode, format=kind) as archive:
        for name, content in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return data.getvalue()


@pytest.fixture
def into(tmp_path: Path) -> Path:
    return tmp_path / "private" / "kept"


def places(package: Package) -> list[str]:
    return [file.place for file in package.files]


def of_class(start: Path, into: Path, expected: Expected = HW3) -> list[Submission]:
    found = list(collect(start, into=into, expected=expected))
    assert all(isinstance(one, Submission) for one in found), found
    return [one for one in found if isinstance(one, Submission)]


# -- which file is graded -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "graded"),
    [
        # The manifest's name first, also as a copy; the exact name before the copy.
        ({"hw3.ipynb": book(*ALL), "z.ipynb": book(*ALL)}, "hw3.ipynb"),
        ({"hw3 (1).ipynb": book(*ALL), "a.ipynb": book(*ALL)}, "hw3 (1).ipynb"),
        ({"hw3 (1).ipynb": book(*ALL), "hw3.ipynb": book(*ALL)}, "hw3.ipynb"),
        ({"hw3.py": defining(*ALL), "plots.ipynb": book()}, "hw3.py"),
        # The manifest's name does not make an empty file the answer.
        ({"hw3.ipynb": book(), "answer.py": defining(*ALL)}, "answer.py"),
        ({"hw3.ipynb": b"damaged", "answer.ipynb": book(*ALL)}, "answer.ipynb"),
        # A notebook does not beat a script, a large file not a small one, "a" not "z".
        ({"looking.ipynb": book(more="x = 1\n" * 900), "z.py": defining(*ALL)}, "z.py"),
        ({"a_helper.py": defining(more="x = 1\n" * 900), "z.py": defining("relu")}, "z.py"),
        ({"code/z.py": defining(*ALL), "looking.ipynb": book()}, "code/z.py"),
        # What is given is never the answer, however much of it is defined there.
        ({"utils.py": defining(*ALL), "mine.py": defining("relu")}, "mine.py"),
        # A file that collects the answers from others is the answer; one that only uses the answer is not.
        (
            {
                "main.py": b"from layers import *\nfrom optim import sgd\n",
                "layers.py": defining("linear", "relu"),
                "optim.py": defining("sgd"),
            },
            "main.py",
        ),
        ({"runme.py": b"from net import *\nprint(relu(1))\n", "net.py": defining(*ALL)}, "net.py"),
        ({"a.ipynb": book(more="%run b.ipynb\n"), "b.ipynb": book("linear", "relu")}, "b.ipynb"),
        # A circular import ends.
        ({"p.py": b"from q import *\n", "q.py": b"from p import *\n" + defining("relu")}, "q.py"),
        # Draft and final: the name nearer to the manifest's.
        ({"work.ipynb": book(*ALL), "hw3_final.ipynb": book(*ALL)}, "hw3_final.ipynb"),
    ],
)
def test_which_file_is_graded(tmp_path, into, files, graded):
    expected = Expected(("hw3.ipynb",), NAMES, {"utils.py": tmp_path / "course" / "utils.py"})
    start = folder(tmp_path / "ada", files)
    package = package_of(start, expected, into=into)
    top = graded.rpartition("/")[0]
    assert package.notebooks == ((graded if "looking.ipynb" in files else graded.removeprefix(f"{top}/")),)


def test_sixty_files_that_import_each_other_take_no_time(tmp_path, into):
    every = b"".join(f"from m{number} import *\n".encode() for number in range(60))
    files = {f"m{number}.py": every + (defining(*ALL) if number == 7 else b"") for number in range(60)}
    start = time.monotonic()
    assert package_of(folder(tmp_path / "ada", files), HW3, into=into).notebooks == ("m7.py",)
    assert time.monotonic() - start < 10


def test_of_hundreds_of_files_the_one_that_the_manifest_names_is_read(tmp_path, into):
    files = {f"a{number}.ipynb": book() for number in range(200)}
    start = folder(tmp_path / "ada", {**files, "hw3.ipynb": book(*ALL)})
    assert package_of(start, HW3, into=into).notebooks == ("hw3.ipynb",)


def test_what_was_not_taken_is_named_with_what_it_defines(tmp_path, into):
    start = folder(tmp_path / "ada", {"looking.ipynb": book(), "net.py": defining("relu", "sgd")})
    (notice,) = package_of(start, HW3, into=into).notices
    assert notice == (
        "net.py is graded, being the file that defines 2 of the 3 names asked for; "
        "not graded: looking.ipynb (defines none of the names asked for)"
    )


def test_several_notebooks_come_in_the_manifests_order_and_a_missing_one_is_named(tmp_path, into):
    expected = Expected(("part2.ipynb", "part1.ipynb", "part3.ipynb"))
    files = {"part1.ipynb": book("relu"), "part2 (1).ipynb": book("sgd"), "x.ipynb": book()}
    package = package_of(folder(tmp_path / "ada", files), expected, into=into)
    assert package.notebooks == ("part2 (1).ipynb", "part1.ipynb")
    assert package.notices[0] == "part3.ipynb is not among the files that were handed in"
    assert "x.ipynb" in package.notices[1]
    one = package_of(tmp_path / "ada" / "part1.ipynb", expected, into=into)
    assert one.notebooks == package.notebooks


def test_several_notebooks_of_one_student_may_use_the_same_module(tmp_path, into):
    """Each then defines what the other does; their names say that nobody else wrote them."""
    expected = Expected(("part1.ipynb", "part2.ipynb"), NAMES)
    for ending, using in ((".py", b"from own import *\n"), (".ipynb", book(more="from own import *"))):
        files = {f"part1{ending}": using, f"part2{ending}": using, "own.py": defining(*ALL)}
        start = folder(tmp_path / ending / "ada", files)
        for path in (start, start / f"part1{ending}"):
            package = package_of(path, expected, into=into)
            assert (package.notebooks, package.notices) == ((f"part1{ending}", f"part2{ending}"), ())
    unknown = package_of(tmp_path / ".py" / "ada", Expected(expected.notebooks), into=into)
    assert unknown.notebooks == ("part1.py", "part2.py"), "on a student's machine nobody knows the names"


@pytest.mark.parametrize("using", ["from layers import net", "import layers.net as net", "x = 1"])
def test_a_module_of_the_assignment_is_not_the_graded_file(using, tmp_path, into):
    """It defines all that is asked for, and the notebook nothing."""
    expected = Expected(("hw3.ipynb",), NAMES, files=("layers/*.py",), modules=("layers/net.py",))
    home, module = book(more=using), defining(*ALL)
    laid = {
        "folder": {"hw3.ipynb": home, "layers/net.py": module},
        "renamed": {"mine.ipynb": home, "layers/net.py": module},
        "flat": {"hw3.ipynb": home, "net.py": module},
    }
    for name, files in laid.items():
        package = package_of(folder(tmp_path / name, files), expected, into=into)
        assert places(package) == sorted([*package.notebooks, "layers/net.py"]), name
        assert package.notebooks[0].endswith(".ipynb")
        assert [*package.notices] == (
            ["net.py is graded as layers/net.py, where the assignment has it"] if name == "flat" else []
        )
    flat = {"ada_101_5001_hw3.ipynb": home, "ada_101_5002_net.py": module}
    (found,) = of_class(folder(tmp_path / "canvas", flat), into, expected)
    assert places(found.package) == ["hw3.ipynb", "layers/net.py"]
    packed = {"hw3.ipynb": home, "layers.zip": zipped({"layers/net.py": module})}
    (found,) = of_class(folder(tmp_path / "packed" / "ada", packed).parent, into, expected)
    assert found.package.notebooks == ("hw3.ipynb",)
    assert "layers/net.py" in places(found.package)


def test_scripts_of_one_folder_are_one_students_if_one_of_them_is_the_answer(tmp_path, into):
    files = {
        "s01/net.py": defining(*ALL),
        "s01/utils2.py": b"x = 1",
        "s02/plot.py": b"import net\n",
        "s02/net.py": defining(*ALL),
        "section/ada.py": defining(*ALL),
        "section/bob.py": defining(*ALL),
        "drafts/net.py": defining(*ALL),
        "drafts/net_old.py": defining(*ALL),
    }
    found = of_class(folder(tmp_path / "class", files), into)
    assert {one.who.label: places(one.package) for one in found} == {
        "s01": ["net.py", "utils2.py"],
        "s02": ["net.py", "plot.py"],
        "section/ada": ["ada.py"],
        "section/bob": ["bob.py"],
        "drafts": ["net.py", "net_old.py"],
    }


def test_the_work_in_a_zip_beside_a_script_that_answers_nothing_is_found(tmp_path, into):
    files = {
        "ada/readme.py": b"x = 1",
        "ada/work.zip": zipped({"hw3.ipynb": book(*ALL)}),
        "bob/net.py": defining(*ALL),
        "bob/startercode.zip": zipped({"hw3.ipynb": book()}),
    }
    ada, bob = of_class(folder(tmp_path / "class", files), into)
    assert (ada.name, ada.package.notebooks) == ("ada/work.zip/hw3.ipynb", ("hw3.ipynb",))
    assert ada.notices == ("work.zip is graded; not graded: ada/readme.py",)
    assert bob.package.notebooks == ("net.py",)


# -- what comes along ---------------------------------------------------------------------------------------


def test_a_package_holds_what_lies_beside_and_below_the_notebook(tmp_path, into):
    files = {
        "hw3.ipynb": book(*ALL),
        "layers/conv.py": b"x = 1",
        "data.csv": b"1,2",
        ".ipynb_checkpoints/hw3-checkpoint.ipynb": book(*ALL),
        "__pycache__/a.pyc": b"",
        ".git/config": b"",
    }
    for start in (
        folder(tmp_path / "class", {f"ada/{name}": data for name, data in files.items()}),
        folder(tmp_path / "zips", {"ada.zip": zipped({f"hw/{name}": data for name, data in files.items()})}),
    ):
        (one,) = of_class(start, into)
        assert places(one.package) == ["data.csv", "hw3.ipynb", "layers/conv.py"]
        assert one.package.notebooks == ("hw3.ipynb",)
        read = load(one.package)
        assert read.files["layers/conv.py"] == b"x = 1"
        assert [file.name for file in read.notebooks] == ["hw3.ipynb"]
        assert read.sha256 == one.sha256


def test_files_above_the_notebook_keep_their_places(tmp_path, into):
    files = {"ada/data/x.csv": b"1", "ada/code/hw3.ipynb": book(*ALL), "ada/code/layers.py": b""}
    (one,) = of_class(folder(tmp_path / "class", files), into)
    assert places(one.package) == ["code/hw3.ipynb", "code/layers.py", "data/x.csv"]
    assert one.package.notebooks == ("code/hw3.ipynb",)


def test_the_courses_own_files_do_not_come_along_and_a_changed_copy_is_named(tmp_path, into):
    course = folder(tmp_path / "course", {"utils.py": b"x = 1", "data/a.csv": b"1", "data/b.csv": b"2"})
    expected = Expected(("hw3.ipynb",), NAMES, {"utils.py": course / "utils.py", "data": course / "data"})
    files = {
        "hw3.ipynb": book(*ALL),
        "utils.py": b"x = 2",
        "data/a.csv": b"1",
        "data/mine.csv": b"3",
        "old/utils.py": b"x = 1",
    }
    package = package_of(folder(tmp_path / "ada", files), expected, into=into)
    assert places(package) == ["data/mine.csv", "hw3.ipynb", "old/utils.py"]
    assert package.notices == ("utils.py differs from the course's own, which is used instead",)


def test_a_file_where_the_course_gives_a_folder_and_the_other_way_round_is_named(tmp_path, into):
    course = folder(tmp_path / "course", {"utils.py": b"x = 1", "data/a.csv": b"1"})
    expected = Expected(("hw3.ipynb",), NAMES, {"utils.py": course / "utils.py", "data": course / "data"})
    files = {"hw3.ipynb": book(*ALL), "utils.py/__init__.py": b"", "data": b"1"}
    package = package_of(folder(tmp_path / "ada", files), expected, into=into)
    assert places(package) == ["hw3.ipynb"]
    assert package.notices == (
        "data was left out: the course gives data, which is used instead",
        "utils.py/__init__.py was left out: the course gives utils.py, which is used instead",
    )


def test_patterns_say_what_else_may_be_handed_in_and_lead_nowhere_else(tmp_path, into):
    folder(tmp_path, {"secret.txt": b"?"})
    files = {"hw3.ipynb": book(*ALL), "layers/a.py": b"", "b.py": b"", "notes.txt": b""}
    template = {"README.md": b"", "conftest.py": b"", "public_tests/test_1.py": b""}
    start = folder(tmp_path / "ada", files | template)
    expected = Expected(("hw3.ipynb",), NAMES, files=("layers/*.py", "../*", "/etc/*"))
    package = package_of(start, expected, into=into)
    assert places(package) == ["hw3.ipynb", "layers/a.py"]
    assert package.notices == ("b.py, notes.txt were left out: the assignment takes no such file",)


def test_ten_thousand_files_are_bounded_and_code_comes_first(tmp_path, into):
    files = {f"data/{number}.txt": b"x" for number in range(10_000)}
    many = zipped({**files, "hw3.ipynb": book(), "z/m.py": b""})
    one, _ = of_class(folder(tmp_path / "class", {"ada.zip": many, "bob.ipynb": book()}), into)
    assert len(one.package.files) == assemble.MAX_FILES
    assert {"hw3.ipynb", "z/m.py"} <= set(places(one.package))
    assert [notice for notice in one.notices if "9,799 other files were left out" in notice]
    large = {"hw3.ipynb": book(), "a.bin": b"x" * assemble.MAX_BESIDE, "b.bin": b"y"}
    package = package_of(folder(tmp_path / "bob", large), HW3, into=into)
    assert places(package) == ["a.bin", "hw3.ipynb"]
    assert "b.bin was left out" in package.notices[0]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("random.py", "random.py has the name of a module"),
        ("numpy/__init__.py", "numpy/ has the name of a module"),
        ("HW3.ipynb", "HW3.ipynb and hw3.ipynb differ in capital letters only"),
        ("a\nb.py", "a?b.py was left out: a name with control characters"),
        ("a\\b.py", "was left out: a name with control characters or backslashes"),
    ],
)
def test_a_name_that_means_trouble_is_one_line(tmp_path, into, name, said):
    package = package_of(folder(tmp_path / "ada", {"hw3.ipynb": book(*ALL), name: b"{}"}), HW3, into=into)
    assert package.notebooks == ("hw3.ipynb",)
    assert [notice for notice in package.notices if said in notice]
    assert all(notice.isprintable() for notice in package.notices)


def test_a_helper_that_is_a_link_is_not_followed(tmp_path, into):
    folder(tmp_path, {"secret.py": b"SECRET"})
    start = folder(tmp_path / "ada", {"hw3.ipynb": book(*ALL)})
    (start / "layers.py").symlink_to(tmp_path / "secret.py")
    package = package_of(start, HW3, into=into)
    assert places(package) == ["hw3.ipynb"]
    assert package.notices == (
        "layers.py: is a symbolic link, which is not followed; put the file itself here",
    )


# -- what a person names ------------------------------------------------------------------------------------


LAYERS = ["layers/__init__.py", "layers/ops.py"]


@pytest.mark.parametrize(
    ("name", "archive", "laid"),
    [
        ("layers.zip", zipped({"layers/__init__.py": b"", "layers/ops.py": b""}), LAYERS),
        ("layers.zip", zipped({"__init__.py": b"", "ops.py": b""}), LAYERS),
        ("all.tar.gz", tarred({"ops.py": b"", "data.csv": b""}), ["ops.py"]),
        ("all.zip", zipped({"own.py": b"x = 2", "../out.py": b"", "hw3.ipynb": book()}), []),
        ("all.zip", b"no zip", []),
    ],
)
def test_modules_packed_beside_the_notebook_come_along(tmp_path, into, name, archive, laid):
    files = {"hw3.ipynb": book(*ALL), "own.py": b"x = 1", name: archive}
    package = package_of(folder(tmp_path / "s01", files) / "hw3.ipynb", HW3, into=into)
    assert places(package) == sorted([*files, *laid])
    assert load(package).files["own.py"] == b"x = 1"
    flat = {f"ada_101_500{number}_{place}": files[place] for number, place in enumerate(files)}
    (found,) = of_class(folder(tmp_path / "class", flat), into)
    assert places(found.package) == places(package)


def test_a_notebook_that_takes_its_answers_from_packed_modules_is_graded(tmp_path, into):
    source = json.dumps({"cells": [{"cell_type": "code", "source": "from layers.ops import *"}]}).encode()
    packed = zipped({"layers/__init__.py": b"", "layers/ops.py": defining(*ALL)})
    start = folder(tmp_path, {"ada_101_5001_hw3.ipynb": source, "ada_101_5002_layers.zip": packed})
    (found,) = of_class(start, into)
    assert found.package.notebooks == ("hw3.ipynb",)
    assert places(found.package) == ["hw3.ipynb", "layers.zip", *LAYERS]


def test_a_named_file_takes_along_what_lies_in_its_students_folder(tmp_path, into):
    folder(tmp_path / "s01", {"hw3.ipynb": book(*ALL), "layers.py": b"", "scratch.ipynb": book()})
    package = package_of(tmp_path / "s01" / "hw3.ipynb", HW3, into=into)
    assert places(package) == ["hw3.ipynb", "layers.py", "scratch.ipynb"]
    assert package.notebooks == ("hw3.ipynb",)


@pytest.mark.parametrize(
    ("files", "name", "with_it"),
    [
        ({"ada.ipynb": book(*ALL), "bob.ipynb": book(*ALL), "bobs.py": b""}, "ada.ipynb", []),
        ({"ada.py": b"x = 1", "bob.py": defining(*ALL)}, "ada.py", []),
        (
            {"hw3.ipynb": book(*ALL), "bob/hw3.ipynb": book(*ALL), "bob/b.py": b"", "m.py": b""},
            "hw3.ipynb",
            ["m.py"],
        ),
        ({"hw3.ipynb": book(*ALL), "bob.ipynb": book(*ALL), "m.py": b""}, "hw3.ipynb", ["m.py"]),
        (
            {
                "ada_101_5001_hw3.ipynb": book(*ALL),
                "ada_101_5002_m.py": b"",
                "bob_102_5003_hw3.ipynb": book(*ALL),
                "bob_102_5004_n.py": b"",
            },
            "ada_101_5001_hw3.ipynb",
            ["m.py"],
        ),
    ],
)
def test_other_students_files_never_come_along(tmp_path, into, files, name, with_it):
    package = package_of(folder(tmp_path / "class", files) / name, HW3, into=into)
    assert set(places(package)) - set(package.notebooks) == set(with_it)
    assert len(package.notebooks) == 1


@pytest.mark.parametrize("names", [frozenset(), NAMES])
def test_scripts_that_define_nothing_asked_for_are_one_students_by_the_manifests_name(tmp_path, into, names):
    """Also a folder of scripts with a package, in a course without a reference."""
    expected = Expected(("word2vec.ipynb",), names)
    files = {"word2vec.py": b"from utils.grad import g", "sgd.py": b"x = 1", "run.py": b"import word2vec"}
    package = {"utils/__init__.py": b"", "utils/grad.py": b"g = 1", "utils/text.py": b"t = 1"}
    start = folder(tmp_path / "class" / "s01", {**files, **package})
    folder(start.parent / "s02", {"word2vec.py": b"x = 1", "utils/grad.py": b"g = 2"})
    for path in (start, start / "word2vec.py"):
        found = package_of(path, expected, into=into)
        assert found.notebooks == ("word2vec.py",)
        assert set(places(found)) == {*files, *package}
    own = of_class(start.parent, into, expected)
    assert [one.package.notebooks for one in own] == [("word2vec.py",)] * 2
    assert [len(one.package.files) for one in own] == [6, 2]
    with pytest.raises(SubmissionError, match="several people"):
        package_of(start.parent, expected, into=into)


@pytest.mark.parametrize("place", ["", "reference/", "hidden_tests/"])
def test_an_assignments_own_files_never_come_along(tmp_path, into, place):
    own = {"assignment.toml": b"", "hidden_tests/t.py": b"SECRET", "reference/r.py": b"", "a.py": b""}
    start = folder(tmp_path / "hw3", {**own, f"{place}hw3.ipynb": book(*ALL)})
    assert places(package_of(start / f"{place}hw3.ipynb", HW3, into=into)) == ["hw3.ipynb"]
    above = folder(tmp_path, {"hw3.ipynb": book(*ALL)})
    assert places(package_of(above / "hw3.ipynb", HW3, into=into)) == ["hw3.ipynb"]
    with pytest.raises(SubmissionError, match="assignment's own folder"):
        package_of(start, HW3, into=into)


def test_of_an_assignments_folder_only_the_reference_takes_its_modules_and_others_are_told(tmp_path, into):
    files = {"assignment.toml": b"", "reference/layers/conv.py": b"", "reference/layers/notes.py": b""}
    start = folder(tmp_path, {**files, "reference/hw3.py": b"from layers.conv import c\nimport utils, numpy"})
    folder(start / "reference", {"utils.py": b"", "ada.py": b"import layers.conv", "tools/__init__.py": b""})
    solved = tuple(start / "reference" / name for name in ("hw3.py", "layers/conv.py"))
    expected = Expected(("hw3.ipynb",), NAMES, {"utils.py": start / "reference/utils.py"}, solved=solved)
    own = package_of(start / "reference" / "hw3.py", expected, into=into)
    assert (places(own), own.notices) == (["hw3.py", "layers/conv.py"], ())
    students = package_of(start / "reference" / "ada.py", expected, into=into)
    assert places(students) == ["ada.py"]
    (line,) = students.notices
    assert line.startswith("layers lies in the assignment's own folder and does not come along")


def test_a_file_among_thousands_is_graded_alone_with_a_line(tmp_path, into, monkeypatch):
    monkeypatch.setattr(named, "MAX_AROUND", 5)
    start = folder(tmp_path / "home", {"hw3.ipynb": book(*ALL), **{f"{n}.txt": b"" for n in range(6)}})
    package = package_of(start / "hw3.ipynb", HW3, into=into)
    assert places(package) == ["hw3.ipynb"]
    assert "more than 5 files" in package.notices[0]


@pytest.mark.parametrize(
    ("files", "why"),
    [
        ({}, "it is empty"),
        ({"notes.txt": b"?"}, "rename it so that it ends in .ipynb"),
        ({"hw3.pdf": b"?"}, "a printout cannot be graded"),
        ({"hw3.rar": b"?"}, "an archive of this kind is not read"),
        ({"utils.py": b""}, "holds only what the course gives: "),
        ({"a/hw3.ipynb": book(*ALL), "b/hw3.ipynb": book(*ALL)}, "holds the work of several people"),
        ({f"ada_1{n}_2{n}_hw3.ipynb": book() for n in range(3)}, "holds the work of several people"),
    ],
)
def test_a_folder_that_cannot_be_graded_is_one_line(tmp_path, into, files, why):
    expected = Expected(("hw3.ipynb",), NAMES, {"utils.py": tmp_path})
    (tmp_path / "x").mkdir()
    with pytest.raises(SubmissionError) as caught:
        package_of(folder(tmp_path / "x", files), expected, into=into)
    assert why in str(caught.value)
    assert str(caught.value).startswith("x: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("name", "pack"), [("ada.zip", zipped), ("ada.tar.gz", tarred), ("ada.tgz", tarred)])
def test_an_archive_that_a_person_names(tmp_path, into, name, pack):
    (tmp_path / name).write_bytes(pack({"hw/hw3.ipynb": book(*ALL), "hw/layers.py": b"x = 1"}))
    package = package_of(tmp_path / name, HW3, into=into)
    assert places(package) == ["hw3.ipynb", "layers.py"]
    assert load(package).files["layers.py"] == b"x = 1"
    (tmp_path / name).write_bytes(pack({"inner.zip": zipped({"hw3.ipynb": book()})}))
    with pytest.raises(SubmissionError, match="holds only a zip"):
        package_of(tmp_path / name, HW3, into=into)


# -- packages that travel -----------------------------------------------------------------------------------


def test_the_digest_covers_names_and_endings_and_a_lone_notebook_keeps_its_own(tmp_path, into):
    data = book(*ALL)
    folder(tmp_path, {"a/hw3.ipynb": data, "b/hw3.py": data, "c/hw3.ipynb": data, "c/m.py": b""})
    one, script, two = (
        package_of(path, HW3, into=into)
        for path in (tmp_path / "a/hw3.ipynb", tmp_path / "b/hw3.py", tmp_path / "c/hw3.ipynb")
    )
    assert one.sha256 == one.first.sha256
    assert len({one.sha256, script.sha256, two.sha256}) == 3
    moved = msgspec.structs.replace(
        two, files=(two.files[0], msgspec.structs.replace(two.files[1], place="n.py"))
    )
    assert moved.sha256 != two.sha256


def test_a_package_travels_as_bytes_and_never_chooses_a_path(tmp_path, into):
    folder(tmp_path / "ada", {"hw3.ipynb": book(*ALL), "layers/m.py": b"x = 1"})
    package = package_of(tmp_path / "ada", HW3, into=into)
    (tmp_path / "worker").mkdir()
    there = from_bytes(as_bytes(package), tmp_path / "worker")
    assert there.sha256 == package.sha256
    assert load(there).files == load(package).files
    assert {Path(file.path).parent for file in there.files} == {tmp_path / "worker"}
    assert msgspec.json.decode(msgspec.json.encode(package), type=Package) == package


@pytest.mark.parametrize("what", ["changed", "longer", "deleted", "link"])
def test_a_file_that_is_not_as_it_was_found_is_nobodys_fault(tmp_path, into, what):
    start = folder(tmp_path / "ada", {"hw3.ipynb": book(*ALL), "m.py": b"x = 1"})
    package = package_of(start, HW3, into=into)
    if what in ("changed", "longer"):
        (start / "m.py").write_bytes(b"x = 2" if what == "changed" else b"x = 1 " * 9)
    else:
        (start / "m.py").unlink()
    if what == "link":
        folder(tmp_path, {"other.py": b"x = 1"})
        (start / "m.py").symlink_to(tmp_path / "other.py")
    with pytest.raises(InfrastructureError, match=r"m\.py: the file"):
        load(package)


def test_a_size_is_checked_before_memory_is_taken(tmp_path):
    path = tmp_path / "m.py"
    with path.open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(InfrastructureError, match="changed"):
        load(Package(("m.py",), (FileRef("m.py", str(path), "0" * 64, 5),)))


# -- tar files ----------------------------------------------------------------------------------------------

LONG = "very/" * 30 + "long.py"


@pytest.mark.parametrize("kind", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
@pytest.mark.parametrize("mode", ["w", "w:gz"])
def test_tar_files_of_every_form_are_read(tmp_path, kind, mode):
    files = {"hw3.ipynb": book(), "é/ü.py": "é".encode(), LONG: b"x" * 1500, "empty": b""}
    path = tmp_path / "a.tar"
    path.write_bytes(tarred(files, mode=mode, kind=kind))
    with tarballs.open_archive(path) as archive:
        assert archive.refused == []
        read = {}
        for member in archive.members:
            with archive.open(member) as stream:
                read["/".join(member.parts)] = stream.read()
    assert read == files


def test_what_leads_out_of_a_tar_file_or_is_no_file_is_refused(tmp_path):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as archive:
        for name, kind, link in (
            ("../up.py", tarfile.REGTYPE, ""),
            ("/etc/passwd", tarfile.REGTYPE, ""),
            ("link.py", tarfile.SYMTYPE, "/etc/passwd"),
            ("hard.py", tarfile.LNKTYPE, "hw3.ipynb"),
            ("device", tarfile.CHRTYPE, ""),
            ("pipe", tarfile.FIFOTYPE, ""),
            ("folder", tarfile.DIRTYPE, ""),
            ("twice.py", tarfile.REGTYPE, ""),
            ("./twice.py", tarfile.REGTYPE, ""),
        ):
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, link
            archive.addfile(info)
    (tmp_path / "a.tgz").write_bytes(data.getvalue())
    with tarballs.open_archive(tmp_path / "a.tgz") as archive:
        assert archive.members == []
        assert {name: why.split(";")[0] for name, why in archive.refused} == {
            "../up.py": "its name leads out of the zip",
            "/etc/passwd": "its name leads out of the zip",
            "link.py": "is a link, which is not followed",
            "hard.py": "is a link, which is not followed",
            "device": "is not a regular file",
            "pipe": "is not a regular file",
            "twice.py": "the archive holds 2 files of this name",
            "./twice.py": "the archive holds 2 files of this name",
        }


def test_a_tar_bomb_is_refused(tmp_path):
    path = tmp_path / "a.tar.gz"
    with gzip.open(path, "wb") as file:
        for _ in range(64):
            file.write(bytes(1 << 20))
    with pytest.raises(Unusable, match="as a bomb does"):
        tarballs.open_archive(path)


@settings(derandomize=True, deadline=None, max_examples=150)
@given(
    st.lists(st.tuples(st.integers(0, 4000), st.binary(min_size=1, max_size=20)), max_size=5),
    st.integers(0, 6000),
)
def test_damage_anywhere_in_a_tar_file_is_one_line(changes, end):
    whole = bytearray(tarred({"hw3.ipynb": book(), LONG: b"x" * 700}, mode="w", kind=tarfile.PAX_FORMAT))
    for at, data in changes:
        whole[at : at + len(data)] = data
    file = io.BytesIO(bytes(whole[: len(whole) - end]))
    members, refused = [], []
    with suppress(Unusable):
        members, refused = tarballs._members_and_refused(file)
    assert len(members) + len(refused) <= 3


# -- layouts ------------------------------------------------------------------------------------------------


@pytest.fixture(autouse=True)
def zone(monkeypatch):
    """The platforms tell local times: these are of a machine in Greenwich."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()


@pytest.mark.parametrize(
    ("name", "who", "at", "file"),
    [
        ("HW3_s01_attempt_2026-11-20-23-59-01_hw3.ipynb", "s01", "2026-11-20T23:59:01", "hw3.ipynb"),
        ("My HW_3_s01_attempt_2026-11-20-23-59-01_a_b.py", "s01", "2026-11-20T23:59:01", "a_b.py"),
        ("HW3_s01_attempt_2026-13-40-99-99-99_hw3.ipynb", "s01", "", "hw3.ipynb"),
        (
            "HW3_s01_attempt_2026-11-20-23-59-01_x_s02_attempt_2026-11-20-23-59-02_hw3.ipynb",
            "s01",
            "2026-11-20T23:59:01",
            "x_s02_attempt_2026-11-20-23-59-02_hw3.ipynb",
        ),
    ],
)
def test_blackboards_names(name, who, at, file):
    named_so = download_names.blackboard(name)
    assert named_so is not None
    assert (named_so.who.id, named_so.submitted_at, named_so.file) == (who, at, file)


@pytest.mark.parametrize(
    ("name", "who", "at", "file"),
    [
        ("123-456 - Ada Lovelace - Nov 20, 2026 1159 PM", "Ada Lovelace", "2026-11-20T23:59:00", ""),
        ("123-456 - Ada Lovelace- 20 November, 2026 905 AM", "Ada Lovelace", "2026-11-20T09:05:00", ""),
        ("123-456 - Ada Lovelace - Nov 20, 2026 1205 AM", "Ada Lovelace", "2026-11-20T00:05:00", ""),
        ("123-456 - Ann-Marie O - 3 februari 2026 2345", "Ann-Marie O", "2026-02-03T23:45:00", ""),
        ("123-456 - Ada - 3 lokakuuta 2026 2345", "Ada", "", ""),
        ("1-2 - Ada - Nov 20, 2026 1159 PM - hw3.ipynb", "Ada", "2026-11-20T23:59:00", "hw3.ipynb"),
    ],
)
def test_brightspaces_names(name, who, at, file):
    named_so = download_names.brightspace(name)
    assert named_so is not None
    assert (named_so.who.name, named_so.who.number) == (who, name.partition("-")[0])
    assert (named_so.submitted_at, named_so.file) == (at, file)


def test_a_download_of_blackboard(tmp_path, into):
    files = {
        "HW3_s01_attempt_2026-11-19-09-00-00_hw3.ipynb": book("relu"),
        "HW3_s01_attempt_2026-11-19-09-00-00.txt": b"receipt",
        "HW3_s01_attempt_2026-11-20-13-45-10_hw3.ipynb": book(*ALL),
        "HW3_s01_attempt_2026-11-20-13-45-10_layers.py": b"",
        "HW3_s01_attempt_2026-11-20-13-45-10.txt": b"receipt",
        "HW3_s02_attempt_2026-11-22-00-05-00_work.zip": zipped({"hw3.ipynb": book(*ALL)}),
        "HW3_s02_attempt_2026-11-22-00-05-00.txt": b"receipt",
    }
    found = of_class(folder(tmp_path / "class", files), into)
    assert [(one.who.id, one.submitted_at[:10], places(one.package)) for one in found] == [
        ("s01", "2026-11-19", ["hw3.ipynb"]),
        ("s01", "2026-11-20", ["hw3.ipynb", "layers.py"]),
        ("s02", "2026-11-22", ["hw3.ipynb"]),
    ]


RECEIPT = b"Name: John Smith (j_smith)\nAssignment: HW_3\n"
AT = "attempt_2026-11-19-09-00-00"


def test_a_login_on_blackboard_may_hold_underscores(tmp_path, into):
    files = {
        f"HW_3_j_smith_{AT}_hw3.ipynb": book(*ALL),
        f"HW_3_j_smith_{AT}.txt": RECEIPT,
        f"HW_3_k_smith_{AT}_hw3.ipynb": book("relu"),
        f"HW_3_k_smith_{AT}.txt": b"Name: J (j_smith)\n",  # not whom the name is of
        f"HW_3_smith_{AT}_hw3.ipynb": book(*ALL),
    }
    found = of_class(folder(tmp_path / "class", files), into)
    assert [(one.who.id, one.who.name) for one in found] == [
        ("j_smith", "John Smith"),
        ("k_smith", ""),
        ("smith", ""),
    ]
    alone = of_class(folder(tmp_path / "one", dict(list(files.items())[:2])), into)
    assert [one.who.id for one in alone] == ["j_smith"]


def test_who_typed_a_text_in_place_of_a_file_is_named(tmp_path, into):
    blackboard = {
        f"HW3_s01_{AT}_hw3.ipynb": book(*ALL),
        f"HW3_s01_{AT}.txt": b"",
        f"HW3_s02_{AT}.txt": b"Name: Bob B (s02)\n",
    }
    canvas = {
        "lovelaceada_4711_98765_hw3.ipynb": book(*ALL),
        "bbob_LATE_4712_text.html": b"<p>",
        "anon_Xy12z_link.html": b"<a>",
    }
    for number, (files, who) in enumerate([(blackboard, ["s02"]), (canvas, ["", "bbob"])]):
        several = list(collect(folder(tmp_path / str(number), files), into=into, expected=HW3))
        assert len([one for one in several if isinstance(one, Submission)]) == 1
        refused = [one for one in several if isinstance(one, Refused)]
        assert all(one.why.startswith("holds no notebook") for one in refused)
        assert sorted(one.who.id or one.who.name for one in refused) == who


def test_a_submission_that_gradescope_names_and_does_not_hold_is_named(tmp_path, into):
    files = {
        "submission_metadata.yml": b"submission_1:\n  :submitters:\n  - :sid: s1\n"
        b"submission_2:\n  :submitters:\n  - :sid: s2\n",
        "submission_1/hw3.ipynb": book(*ALL),
    }
    one, lost = collect(folder(tmp_path / "class", files), into=into, expected=HW3)
    assert isinstance(one, Submission)
    assert isinstance(lost, Refused)
    assert (one.who.id, lost.name, lost.who.id) == ("s1", "submission_2", "s2")


def test_what_decides_where_nothing_tells_files_apart_is_said(tmp_path, into):
    more = json.dumps({"cells": json.loads(book(*ALL))["cells"] * 2}).encode()
    for second, graded, why in (
        (book(*ALL, more="pass"), "hw3 (1).ipynb", "being the first of several that nothing tells apart"),
        (more, "hw3 (2).ipynb", "being the one with more code cells of several that nothing tells apart"),
    ):
        files = {"hw3 (1).ipynb": book(*ALL), "hw3 (2).ipynb": second}
        package = package_of(folder(tmp_path / graded, files), HW3, into=into)
        assert (package.notebooks, why in package.notices[0]) == ((graded,), True)


def test_canvas_numbers_hide_no_file(tmp_path, into):
    files = {
        "adal_4711_98765_hw3.ipynb": book(*ALL),
        "adal_4711_98766_part-1.py": b"a = 1",
        "adal_4711_98767_part-2.py": b"b = 1",
        "adal_4711_98768_layers-1.py": b"",
        "bobb_4712_98769_hw3.ipynb": book(*ALL),
        "bobb_4712_98770_x.csv": b"1",
        "bobb_4712_98771_x.csv": b"2",
    }
    ada, bob = of_class(folder(tmp_path / "class", files), into)
    assert places(ada.package) == ["hw3.ipynb", "layers.py", "part-1.py", "part-2.py"]
    assert places(bob.package) == ["hw3.ipynb", "x.csv"]
    assert bob.notices == ("bobb_4712_98771_x.csv was left out: another file is called x.csv",)


def test_a_download_of_brightspace(tmp_path, into):
    files = {
        "index.html": b"<p>",
        "123-456 - Ada Lovelace - Nov 20, 2026 1159 PM/hw3.ipynb": book(*ALL),
        "123-457 - Ada Lovelace - Nov 21, 2026 1000 AM/hw3.ipynb": book(*ALL),
        "123-457 - Ada Lovelace - Nov 21, 2026 1000 AM/m.py": b"",
        "124-458 - Bob B - Nov 20, 2026 0100 PM/hw3.ipynb": book(*ALL),
    }
    found = of_class(folder(tmp_path / "class", files), into)
    assert [(one.who.name, one.submitted_at, len(one.package.files)) for one in found] == [
        ("Ada Lovelace", "2026-11-20T23:59:00", 1),
        ("Ada Lovelace", "2026-11-21T10:00:00", 2),
        ("Bob B", "2026-11-20T13:00:00", 1),
    ]


def test_a_moodle_name_that_can_be_two_peoples_is_nobodys(tmp_path, into):
    odd = "Person Three_111_assignsubmission_file_Z_222_assignsubmission_file_hw3.ipynb"
    files = {odd: book(), "Person One_222_assignsubmission_file_hw3.ipynb": book(*ALL)}
    refused, one = collect(folder(tmp_path / "class", files), into=into, expected=HW3)
    assert isinstance(refused, Refused)
    assert refused.why.startswith("its name can be that of 111 or of 222")
    assert isinstance(one, Submission)
    assert one.who.number == "222"


def test_canvass_test_student_is_nobody_and_its_numbers_do_not_break_imports(tmp_path, into):
    files = {
        "studenttest_99_5003_hw3.ipynb": book(),
        "ada_LATE_101_5001_hw3-2.ipynb": book(*ALL),
        "ada_LATE_101_5002_layers-2.py": b"",
        "bob_102_5004_hw3.ipynb": book(*ALL),
    }
    ada, bob = of_class(folder(tmp_path / "class", files), into)
    assert (ada.who.number, ada.late, places(ada.package)) == ("101", True, ["hw3-2.ipynb", "layers.py"])
    assert (bob.who.number, bob.late) == ("102", False)


@pytest.mark.parametrize("name", ["hw3.ipynb.txt", "hw3.ipynb.json", "hw3.py.txt", "hw3.md", "HW3.IPYNB"])
def test_endings_that_browsers_add_and_markdown_are_read(tmp_path, into, name):
    data = {"py": defining(*ALL), "md": b"```python\n" + defining(*ALL) + b"```\n"}
    start = folder(tmp_path / "class", {f"ada/{name}": data.get(name.split(".")[1], book(*ALL))})
    (one,) = of_class(start, into)
    assert load(one.package).notebooks[0].cells[0].source.startswith("def linear")


def test_a_package_is_the_same_wherever_it_lies(tmp_path, into):
    files = {"hw3.ipynb": book(*ALL), "layers/m.py": b"x = 1"}
    one = package_of(folder(tmp_path / "ada", files), HW3, into=into)
    (tmp_path / "bob.zip").write_bytes(zipped(files))
    two = package_of(tmp_path / "bob.zip", HW3, into=into)
    assert one.sha256 == two.sha256
    assert not list(into.glob("draft-*"))
