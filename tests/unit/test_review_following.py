"""Pages follow the marks when nobody waits, and when marking ends; what goes wrong there stops no marking."""

from __future__ import annotations

from collections.abc import Collection

from support.browser import until

from grader.review.following import Follower


def test_everybody_once_and_then_who_was_marked() -> None:
    written: list[Collection[str] | None] = []
    follower = Follower(written.append, told=print, quiet=0.02)
    until(lambda: len(written) == 1)
    follower.marked({"ada"})
    until(lambda: len(written) == 2)
    follower.marked({"bob"})
    follower.marked({"cyd"})
    follower.close()
    assert written[:2] == [None, {"ada"}]
    assert set().union(*(set(one or ()) for one in written[2:])) == {"bob", "cyd"}


def test_nothing_is_written_while_marks_come_and_the_rest_at_the_end() -> None:
    written: list[Collection[str] | None] = []
    follower = Follower(written.append, told=print, quiet=60)
    follower.marked({"ada"})
    follower.close()
    assert written == [None]


def test_a_failure_is_told_and_marking_goes_on() -> None:
    told: list[str] = []

    def fail(students: Collection[str] | None) -> None:
        raise OSError("disk full")

    follower = Follower(fail, told=told.append, quiet=60)
    follower.close()
    assert told == ["pages were not written: disk full; `grade batch` writes them again"]
