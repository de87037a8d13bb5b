"""What the warm process imports before a submission runs."""

from __future__ import annotations

from support.notebooks import code, write_notebook

from grader.grading import opening
from grader.handed_in.named import package_of
from grader.handed_in.package import load


def test_what_is_not_installed_is_not_imported_before_the_cells(tmp_path, monkeypatch):
    """Its own cell fails with its name; the warm process did not start at all, and nothing was graded."""
    path = write_notebook(tmp_path / "hw.ipynb", [code("import torch"), code("x = 1")])
    submission = load(package_of(path, into=tmp_path / "unpacked"))
    assert opening.preload(submission) == ("numpy", "matplotlib.pyplot", "torch")
    monkeypatch.setattr(
        "grader.sandbox.zygote.is_installed", lambda name: name not in {"torch", "matplotlib"}
    )
    assert opening.preload(submission) == ("numpy",)
