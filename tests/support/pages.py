"""The documentation's pages, their fenced blocks, and the files that these show whole."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from .assignments import write_files
from .paths import ROOT

GUIDES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "SECURITY.md",
    *sorted((ROOT / "docs").glob("*.md")),
]
PAGES = [*GUIDES, ROOT / "CHANGELOG.md"]  # a changelog also names what is gone
FENCE = re.compile(r"^```(?P<language>\w*) ?(?P<rest>[^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Block:
    """One fenced block of a page; ``rest`` is what stands behind the language."""

    page: str
    line: int
    language: str
    rest: str
    text: str

    @property
    def file(self) -> str | None:
        """The file that the block shows whole, if it does."""
        found = re.search(r'title="([^"]+)"', self.rest)
        return found[1] if found else None


def blocks_of(page: Path) -> list[Block]:
    text = page.read_text(encoding="utf-8")
    return [
        Block(
            page.name, text.count("\n", 0, found.start()) + 1, found["language"], found["rest"], found["text"]
        )
        for found in FENCE.finditer(text)
    ]


BLOCKS = [block for page in PAGES for block in blocks_of(page)]


def write_page_files(page: str, folder: Path) -> None:
    """The files that a page shows, below ``folder``."""
    shown = {block.file: block.text for block in BLOCKS if block.page == page and block.file}
    write_files(folder, shown)
