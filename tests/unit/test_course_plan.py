"""What of a submission is graded again: keys item by item, and the merge of old and new."""

import shutil
from pathlib import Path

import pytest
from support.assignments import Item, manifest, write_files

from grader.course.keys import Keys, keys_of, result_key
from grader.course.plan import UniqueWork, keys_after, plan, unique_work
from grader.digests import digest_of_texts
from grader.gradebook.rows import StoredResult
from grader.grading import assignment_folder
from grader.handed_in.package import FileRef, Package
from grader.model.points import ZERO

MANIFEST = manifest(
    Item("a", "A"), Item("b", "B"), Item("c", "C", rubric="says it"), notebook="reference/hw.py"
)
CHECK = '''
from grader import item, points
pytestmark = item("{item}")

@points(1)
def test_{item}(student, limit):
    """{item} is there"""
    assert student.{item}.value == limit
'''
SHARED = "import pytest\n\n@pytest.fixture\ndef limit():\n    return 1\n"


def notebook(sha256: str, place: str = "ada.ipynb") -> Package:
    return Package((place,), (FileRef(place, f"/nowhere/{place}", sha256, 1),))


FILE = UniqueWork("ada.ipynb", notebook("aa" * 32))


@pytest.fixture
def course(tmp_path: Path) -> Path:
    files = {
        "assignment.toml": MANIFEST,
        "reference/hw.py": "a = 1\nb = 1\n",
        "hidden_tests/conftest.py": SHARED,
        "hidden_tests/test_a.py": CHECK.format(item="a"),
        "hidden_tests/test_b.py": CHECK.format(item="b"),
    }
    return write_files(tmp_path, files)


def keys(course: Path, seed: int = 0) -> Keys:
    return keys_of(assignment_folder.load(course), seed=seed)


def changed(before: Keys, after: Keys) -> set[str]:
    return {item for item in after.items if before.items.get(item) != after.items[item]}


def test_the_same_folder_has_the_same_keys_wherever_it_lies(course: Path, tmp_path_factory) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "hw"
    shutil.copytree(course, elsewhere)
    assert keys(course) == keys(elsewhere)


def edit(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new", "items"),
    [
        ("hidden_tests/test_a.py", "is there", "is here", {"a"}),
        ("hidden_tests/conftest.py", "1", "2", {"a", "b", "c"}),
        ("assignment.toml", 'title = "B"', 'title = "Bee"', {"b"}),
        ("assignment.toml", "says it", "says so", {"c"}),
        (
            "assignment.toml",
            '[[item]]\nid = "a"',
            '[limits]\ncell_seconds = 1\n[[item]]\nid = "a"',
            {"a", "b", "c"},
        ),
        ("reference/hw.py", "a = 1", "a = 2", {"c"}),
        (
            "assignment.toml",
            '[[item]]\nid = "a"',
            '[environment]\ncuda = "undecided"\n[[item]]\nid = "a"',
            {"a", "b", "c"},
        ),
        (
            "assignment.toml",
            '[[item]]\nid = "a"',
            '[submission]\nnotebooks = ["hw.ipynb"]\n[[item]]\nid = "a"',
            {"a", "b", "c"},
        ),
    ],
)
def test_a_change_touches_the_items_that_it_decides(
    course: Path, file: str, old: str, new: str, items: set[str]
) -> None:
    before = keys(course)
    edit(course / file, old, new)
    assert changed(before, keys(course)) == items


def test_another_seed_is_another_run(course: Path) -> None:
    assert changed(keys(course), keys(course, seed=1)) == {"a", "b", "c"}


def test_caches_of_python_change_nothing(course: Path) -> None:
    before = keys(course)
    (course / "hidden_tests" / "__pycache__").mkdir(exist_ok=True)
    (course / "hidden_tests" / "__pycache__" / "x.pyc").write_bytes(b"x")
    assert changed(before, keys(course)) == set()


def test_no_two_lists_of_texts_share_a_digest() -> None:
    assert digest_of_texts(["ab", "c"]) != digest_of_texts(["a", "bc"]) != digest_of_texts(["abc"])


ALL = Keys({"a": "1", "b": "2", "c": "3"})


def known(**items: str) -> StoredResult:
    return StoredResult(
        key="earlier",
        assignment="Two items",
        sha256=FILE.sha256,
        item_keys=Keys(items).of_items(FILE.sha256),
        items=(),
        prints=(),
        record=b"record",
        earned=ZERO,
        possible=ZERO,
        decided=ZERO,
    )


def test_equal_files_are_one_work_under_the_first_name_with_every_row() -> None:
    handed_in = [(name, notebook(sha256)) for name, sha256 in (("b", "2"), ("a", "1"), ("c", "2"))]
    assert list(unique_work(handed_in, {"1": [7], "2": [6, 8]}).values()) == [
        UniqueWork("b", notebook("2"), (6, 8)),
        UniqueWork("a", notebook("1"), (7,)),
    ]


def test_the_same_bytes_read_in_another_way_are_other_work() -> None:
    handed_in = [("a", notebook("1")), ("b", notebook("1", "hw.py")), ("c", notebook("1", "hw.ipynb"))]
    assert [work.name for work in unique_work(handed_in).values()] == ["a", "b"]


def test_a_new_file_is_graded_whole() -> None:
    job = plan(FILE, ALL, seed=5, earlier=None)
    assert job is not None
    assert (job.only, job.previous, job.seed) == ((), b"", 5)


def test_what_is_known_is_not_graded() -> None:
    assert plan(FILE, ALL, seed=5, earlier=known(a="1", b="2", c="3")) is None


def test_a_changed_item_is_graded_alone() -> None:
    earlier = known(a="1", b="old", c="3")
    job = plan(FILE, ALL, seed=5, earlier=earlier)
    assert job is not None
    assert (job.only, job.previous) == (("b",), b"record")
    assert keys_after(job, ALL, earlier) == ALL.of_items(FILE.sha256)


def test_where_everything_changed_nothing_is_taken_over() -> None:
    job = plan(FILE, ALL, seed=5, earlier=known(a="x", b="y", c="z"))
    assert job is not None
    assert (job.only, job.previous) == ((), b"")


def test_wanted_items_are_graded_and_no_other() -> None:
    job = plan(FILE, ALL, seed=5, earlier=None, only=["b"])
    assert job is not None
    assert (job.only, job.previous) == (("b",), b"")
    assert set(keys_after(job, ALL, None)) == {"b"}
    assert plan(FILE, ALL, seed=5, earlier=known(b="2"), only=["b"]) is None


def test_a_result_with_some_items_is_another_than_the_whole() -> None:
    whole = ALL.of_items(FILE.sha256)
    assert result_key(whole) != result_key({"a": whole["a"]})
    assert result_key(whole) == result_key(dict(reversed(whole.items())))


def test_an_item_that_the_assignment_has_no_more_is_forgotten() -> None:
    earlier = known(a="1", b="2", c="3", gone="4")
    job = plan(FILE, Keys({"a": "1", "b": "2", "c": "new"}), seed=0, earlier=earlier)
    assert job is not None
    assert set(keys_after(job, ALL, earlier)) == {"a", "b", "c"}
