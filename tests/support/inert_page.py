"""A page that is made of foreign text: well-formed, self-contained, inert."""

from __future__ import annotations

import re
from html.parser import HTMLParser

VOID = {"meta", "img", "br", "hr"}
RUNS = frozenset({"script", "iframe", "object", "embed", "form", "base", "link", "svg", "input"})
FORBIDDEN = RUNS | {"math"}


class Page(HTMLParser):
    """A page's elements, checked for nesting, with the text of each."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: list[tuple[str, str]] = []
        self.feed(html)
        self.close()
        assert self.open == [], "every element is closed"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append((self.open[-1] if self.open else "", data))

    @property
    def text(self) -> str:
        """What a reader sees, white space folded."""
        return " ".join(" ".join(data for tag, data in self.texts if tag != "style").split())

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for each, attributes in self.elements if each == tag]


def assert_inert(html: str, *, without: frozenset[str] = FORBIDDEN) -> None:
    """Nothing on a page runs, is sent or is fetched, and no element of these is there."""
    page = Page(html)
    for tag, attributes in page.elements:
        assert tag not in without
        for name, value in attributes.items():
            assert not name.startswith("on"), (tag, name)
            if name in {"src", "href", "srcset", "action", "data"}:
                assert value is not None
                assert value.startswith(("#", "data:image/png;base64,")), (tag, name, value)
            if name == "style":
                assert re.fullmatch(r"width: [\d.]+%", value or ""), value
    assert len(page.all("style")) == 1
