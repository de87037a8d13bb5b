"""The pages about code in common, on disk."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.files import cannot_write, replace_whole
from grader.model.similarity import SimilarCode, Similarity
from grader.reports.similar_page import render_class, render_pair


def write_pages(record: Similarity, codes: Sequence[SimilarCode], folder: Path) -> Path:
    """Write the class's page and one for each pair of ``codes``, in the record's order; the first one's path.

    Pages of an earlier run that are no longer due are removed. Raises UsageError.
    """
    names = [f"pair-{number}.html" for number in range(1, len(codes) + 1)]
    index = folder / "index.html"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.glob("pair-*.html"):
            if old.name not in names:
                old.unlink()
        for name, code in zip(names, codes, strict=True):
            replace_whole(folder / name, render_pair(code, record).encode())
        replace_whole(index, render_class(record, names).encode())
    except OSError as error:
        raise cannot_write(folder, error.strerror) from None
    return index
