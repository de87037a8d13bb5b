"""Times as people and platforms write them."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.gradebook.times import has_zone, time_in_utc, zone_named
from grader.model.errors import UsageError

BERLIN = zone_named("Europe/Berlin")


@pytest.mark.parametrize(
    ("text", "utc"),
    [
        ("2026-11-20T23:59+01:00", "2026-11-20T22:59:00+00:00"),
        ("2026-11-20 23:59:30", "2026-11-20T22:59:30+00:00"),
        ("2026-07-20T23:59", "2026-07-20T21:59:00+00:00"),  # summer time
        ("Friday, 20 November 2026, 11:59 PM", "2026-11-20T22:59:00+00:00"),
        ("Friday, 20 November 2026, 12:05 AM", "2026-11-19T23:05:00+00:00"),
        ("Wednesday, September 23, 2020, 9:00 PM", "2020-09-23T19:00:00+00:00"),
        ("2022-06-25 13:16:26 -0600", "2022-06-25T19:16:26+00:00"),
        ("2022-06-25 13:16:26 UTC", "2022-06-25T13:16:26+00:00"),
        ("Freitag, 20. März 2026, 23:59", "2026-03-20T22:59:00+00:00"),
        ("vendredi 20 décembre 2026, 23:59", "2026-12-20T22:59:00+00:00"),
        ("viernes, 20 de enero de 2026, 23:59", "2026-01-20T22:59:00+00:00"),
    ],
)
def test_times_are_read_in_their_own_zone_or_the_one_that_is_named(text: str, utc: str) -> None:
    assert time_in_utc(text, zone=BERLIN) == utc


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-11-20", "20.11.2026 23:59", "31 May 26, 23:59", "31 June 2026, 23:59"]
)
def test_what_is_no_time_or_leaves_the_hour_to_guess_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"^t\.csv, line 2: .*is not a time; write it as"):
        time_in_utc(text, where="t.csv, line 2")


def test_zones() -> None:
    assert has_zone("2026-11-20T23:59Z")
    assert has_zone("2022-06-25 13:16:26 -0600")
    assert not has_zone("2026-11-20T23:59")
    assert not has_zone("Friday, 20 November 2026, 11:59 PM")
    for name in ("Atlantis", "../etc/passwd", "/etc/localtime"):
        with pytest.raises(UsageError, match="is not a time zone"):
            zone_named(name)


@given(st.text(max_size=60))
def test_any_text_is_a_time_or_a_usage_error(text: str) -> None:
    with contextlib.suppress(UsageError):
        assert time_in_utc(text).endswith("+00:00")
