"""Most of these tests run without coverage: what they run, the unit tests and the modules below run too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.unmeasured import without_coverage

MEASURED = {
    "test_autograders.py",
    "test_class.py",
    "test_dask.py",
    "test_docs.py",
    "test_grade_check.py",
    "test_import.py",
    "test_named_mistakes.py",
    "test_new.py",
    "test_report_page.py",
    "test_review_page.py",
    "test_submission_files.py",
    "test_watch.py",
}
"""Some are alone in running parts of the package: marking by browser, watching, classes, Dask."""


@pytest.fixture(scope="module", autouse=True)
def coverage_where_it_counts(request: pytest.FixtureRequest) -> Iterator[None]:
    if request.path.name in MEASURED:
        yield
        return
    with without_coverage():
        yield
