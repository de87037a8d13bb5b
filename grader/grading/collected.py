"""What pytest offers to authors besides functions: cases of a parametrized check, Hypothesis, `capsys`."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import pytest

from grader.session.session import Session


class Output(NamedTuple):
    """What was printed."""

    out: str
    err: str


def closest(name: str, test: pytest.Item) -> pytest.Mark | None:
    """The marker of a case of its own, else that of its function, else of its class or file."""
    case = getattr(test, "callspec", None)
    own = [marker for marker in (case.marks if case is not None else ()) if marker.name == name]
    return own[-1] if own else test.get_closest_marker(name)


def title_of(test: pytest.Item) -> str:
    """The first line of a check's docstring, and which case it is, if there are several.

    A case is called by its id where the author wrote one. Otherwise it has a number: pytest makes an id of
    the parameters' values, which are inputs.
    """
    function = getattr(test, "function", None)
    said = (function.__doc__ if function else None) or getattr(test, "originalname", test.name)
    title = next(filter(None, map(str.strip, str(said).splitlines())), test.name)
    case = getattr(test, "callspec", None)
    if case is None:
        return title
    written = set(_written_ids(test))
    parts = list(case._idlist)
    if parts and all(part in written for part in parts):
        return f"{title}: {', '.join(parts)}"
    return f"{title} (case {'.'.join(str(place + 1) for place in dict.fromkeys(case.indices.values()))})"


def _written_ids(test: pytest.Item) -> Iterator[str]:
    """The ids of cases that the author wrote."""
    for marker in test.iter_markers("parametrize"):
        ids = marker.kwargs.get("ids")
        yield from (
            entry for entry in (ids if isinstance(ids, list | tuple) else ()) if isinstance(entry, str)
        )
        values = marker.kwargs.get("argvalues") or (marker.args[1] if len(marker.args) > 1 else ())
        for value in values if isinstance(values, list | tuple) else ():
            written = getattr(value, "id", None) if hasattr(value, "marks") else None
            if isinstance(written, str):
                yield written


class Printed:
    """pytest's `capsys` for what student code printed."""

    def __init__(self, session: Session) -> None:
        self._session, self._out, self._err = session, 0, 0

    def readouterr(self) -> Output:
        """What was printed to stdout and stderr since the last look."""
        out, err = self._session.printed, self._session.printed_to("stderr")
        new = Output(out[self._out :], err[self._err :])
        self._out, self._err = len(out), len(err)
        return new

    @contextmanager
    def disabled(self) -> Iterator[None]:
        """Nothing is captured here that could be let through."""
        yield


def settle_property(test: pytest.Item, seed: int, *, may_shrink: bool) -> None:
    """Let a Hypothesis check draw from this seed alone, remember nothing, and end with the first example.

    Its database would try one student's failures on the next, and shrinking an example calls student code
    for as long as a check may take.
    """
    function: Any = getattr(test, "function", None)
    if "hypothesis" not in sys.modules or not hasattr(function, "hypothesis"):
        return
    from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415  # the author's file has imported it
    from hypothesis import seed as seeded  # noqa: PLC0415

    own: Any = getattr(function, "_hypothesis_internal_use_settings", None) or settings.default
    phases = tuple(
        phase
        for phase in own.phases
        if phase in (Phase.explicit, Phase.generate) or (may_shrink and phase is Phase.shrink)
    )
    function._hypothesis_internal_use_settings = settings(
        own,
        database=None,
        deadline=None,
        print_blob=False,
        report_multiple_bugs=False,
        phases=phases,
        suppress_health_check=[HealthCheck.too_slow, *own.suppress_health_check],
    )
    seeded(seed)(function)
