"""Attacks on content keys: what is read otherwise never gets the result of something else."""

from __future__ import annotations

from rows import tried

from grader.digests import digest_of
from grader.handed_in.package import FileRef, Package


def key(files: dict[str, bytes], *graded: str) -> str:
    """The key of a package of these files, of which those are graded."""
    refs = tuple(
        FileRef(place, f"/elsewhere/{place}", digest_of(data), len(data))
        for place, data in sorted(files.items())
    )
    return Package(graded or ("hw.py",), refs).sha256


SOURCE = b"# %%\nx = 1\n"
BOTH = {"hw.py": SOURCE, "layers.py": b"a"}


def test_the_same_files_have_the_same_key() -> None:
    """The control of all of them; where they lie on the disk does not matter."""
    assert key(BOTH) == key(dict(reversed(BOTH.items())))


@tried("keys", "is another student's file under another ending, so that it is read as something else")
def test_same_bytes_another_ending() -> None:
    endings = ["hw.py", "hw.ipynb", "hw.md", "hw.py.txt"]
    assert len({key({name: SOURCE}, name) for name in endings}) == len(endings)


@tried("keys", "is another student's file under another name")
def test_same_bytes_another_name() -> None:
    assert key({"hw.py": SOURCE}) != key({"hv.py": SOURCE}, "hv.py")


@tried("keys", "is another student's notebook beside another module")
def test_same_notebook_other_module() -> None:
    assert key(BOTH) != key({**BOTH, "layers.py": b"b"}) != key({"hw.py": SOURCE})


@tried("keys", "has the contents of two of another student's modules exchanged")
def test_contents_exchanged() -> None:
    one = {"hw.py": SOURCE, "a.py": b"1", "b.py": b"2"}
    assert key(one) != key({**one, "a.py": b"2", "b.py": b"1"})


@tried("keys", "moves letters from the end of a name to the beginning of a content")
def test_names_and_contents_run_together() -> None:
    assert key({"hw.py": SOURCE, "ab": b"c"}) != key({"hw.py": SOURCE, "a": b"bc"})


@tried("keys", "has another student's two notebooks graded in the other order")
def test_notebooks_in_another_order() -> None:
    two = {"a.ipynb": b"1", "b.ipynb": b"2"}
    assert key(two, "a.ipynb", "b.ipynb") != key(two, "b.ipynb", "a.ipynb") != key(two, "a.ipynb")


@tried("keys", "moves another student's module into a folder, from where it is imported otherwise")
def test_module_in_a_folder() -> None:
    assert key(BOTH) != key({"hw.py": SOURCE, "layers/layers.py": b"a"})
