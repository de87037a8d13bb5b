"""Markers at work on a running page over HTTP, at random, and what each was told is saved."""

from __future__ import annotations

import html
import http.client
import json
import random
import re
import time
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

import msgspec

from grader.gradebook.rows import Mark


class Told(msgspec.Struct):
    """What a marker was told: answers that the page showed as saved, each with its points."""

    submission: int
    item: str
    author: str
    comment: str


class Marker:
    """One marker with the link that `grade review` printed."""

    def __init__(self, name: str, link: str, *, seed: int = 1) -> None:
        place = urlsplit(link)
        self._port = place.port or 0
        cookie = f"chainrule_{self._port}={link.partition('token=')[2]}"
        self._headers = {"Cookie": cookie, "Origin": f"http://127.0.0.1:{self._port}"}
        self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        self._random = random.Random(f"{name} {seed}")  # noqa: S311  # a choice of answers, no secret
        self.name = name
        self.told: list[Told] = []
        self.conflicts = 0
        self.seconds: list[float] = []

    def screen(self, path: str) -> dict[str, Any]:
        """What the page shows at an address."""
        return self._ask("GET", f"{path}&part=1")

    def mark(self, item: str, units: Sequence[str], *, pause: float = 0) -> None:
        """Look at one of these answers, drawn at random, and save some lines; a conflict is saved again."""
        shown = self.screen(f"/mark?item={item}&unit={self._random.choice(units)}")["html"]
        for _ in range(20):
            data = self._decision(item, shown)
            time.sleep(pause)
            began = time.perf_counter()
            reply = self._ask("POST", "/save", data)
            self.seconds.append(time.perf_counter() - began)
            if reply["said"].startswith("saved"):
                told = [Told(int(row), item, self.name, data["comment"]) for row in data["seen"]]
                self.told += told
                return
            assert reply["said"] == "not saved", reply["said"]
            self.conflicts += 1
            shown = reply["html"]
        raise AssertionError("a conflict again and again")

    def mark_until_it_fails(self, item: str, units: Sequence[str]) -> Exception:
        """Mark on and on; why that ended."""
        while True:
            try:
                self.mark(item, units)
            except (OSError, http.client.HTTPException, AssertionError) as error:
                return error

    def close(self) -> None:
        """Leave the page."""
        self._connection.close()

    def _decision(self, item: str, shown: str) -> dict[str, Any]:
        def of(name: str) -> str:
            found = re.search(rf'data-{name}="([^"]*)"', shown)
            assert found, name
            return html.unescape(found[1])

        lines = [int(row) for row in re.findall(r'name="line" value="(\d+)"', shown)]
        return {
            "item": item,
            "unit": of("unit"),
            "shown": int(of("shown")),
            "seen": json.loads(of("seen")),
            "lines": self._random.sample(lines, self._random.randint(0, len(lines))),
            "comment": f"{self.name} {len(self.told)} {self._random.random()}",  # no two saves are the same
        }

    def _ask(self, method: str, path: str, data: object = None) -> dict[str, Any]:
        body = None if data is None else json.dumps(data)
        kind = {} if data is None else {"Content-Type": "application/json"}
        self._connection.request(method, path, body, {**self._headers, **kind})
        answer = self._connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        found: dict[str, Any] = json.loads(said)
        return found


def assert_kept(told: Sequence[Told], every: dict[int, Mark], last: dict[tuple[int, str], Mark]) -> None:
    """Every mark that was shown as saved is a row, and of several for one answer the newest row counts."""
    rows = {
        (mark.submission, mark.item, mark.author, mark.comment.rpartition("\n")[2]) for mark in every.values()
    }
    lost = [one for one in told if (one.submission, one.item, one.author, one.comment) not in rows]
    assert not lost, f"{len(lost)} of {len(told)} are lost: {lost[:3]}"
    newest: dict[tuple[int, str], int] = {}
    for row, mark in every.items():
        key = (mark.submission, mark.item)
        newest[key] = max(newest.get(key, 0), row)
    assert {key: mark.row for key, mark in last.items()} == newest
