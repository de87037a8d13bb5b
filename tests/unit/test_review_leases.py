"""Who looks at what: known on the page at once, in the gradebook soon, and not written for each look."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.browser import until

from grader.gradebook.marker_notes import MarkerNotes
from grader.gradebook.store import Gradebook
from grader.review.leases import Leases


@pytest.fixture
def notes(tmp_path: Path) -> Iterator[MarkerNotes]:
    with Gradebook.open(str(tmp_path / "g.sqlite")) as book:
        yield book.marker_notes("Small")


def test_a_page_knows_before_the_gradebook_does_and_another_page_soon(
    notes: MarkerNotes, monkeypatch: pytest.MonkeyPatch
) -> None:
    go, written, lease = threading.Event(), [], notes.lease

    def slow(item: str, unit: str, *, holder: str, seconds: float) -> str:
        assert go.wait(60)
        written.append(unit)
        return lease(item, unit, holder=holder, seconds=seconds)

    monkeypatch.setattr(notes, "lease", slow)
    here, elsewhere = Leases(notes), Leases(notes)
    assert here.take("1", "a", "ada") == "ada"
    assert here.take("1", "a", "ada") == "ada"  # the same screen again
    assert here.take("1", "a", "bob") == "ada"
    assert here.take("1", "b", "bob") == "bob"
    assert here.of("1", notes.leases("1")) == {"a": "ada", "b": "bob"}
    assert elsewhere.of("1", notes.leases("1")) == {}
    go.set()
    until(lambda: elsewhere.of("1", notes.leases("1")) == {"a": "ada", "b": "bob"})
    assert written == ["a", "b"]
    here.take("1", "c", "ada")
    here.release("bob", item="2")
    assert here.of("1", notes.leases("1")) == {"c": "ada", "b": "bob"}
    here.release("bob")
    assert here.of("1", notes.leases("1")).keys() - {"b"} == {"c"}
    until(lambda: elsewhere.of("1", notes.leases("1")) == {"c": "ada"})
