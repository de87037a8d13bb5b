"""Makes the tutorials' pictures: ``PYTHONPATH=tests python docs/images/tutorials.py``.

With a page's name, such as ``tutorial-notebook``, its pictures alone. Follows each tutorial in an empty
folder and photographs the pages that its commands leave. Needs what `make.py` needs.
"""

from __future__ import annotations

import os
import sys
import tempfile
from pathlib import Path

from make import IMAGES, photograph
from support.browser import browser
from support.review_page import reviewing
from support.tutorial import TUTORIALS, follow

WIDE, HIGH = 900, 700
READY = "document.readyState === 'complete' && document.getElementById('main') && !document.body.ariaBusy"
PAGES = {
    "grade report": ("class", "reports/class.html"),
    "grade feedback": ("feedback", "reports/feedback/s2/feedback.html"),
}


def main() -> None:
    """Follow every tutorial and draw its pages."""
    for page in (page for page in TUTORIALS if sys.argv[1:] in ([], [page.stem])):
        with tempfile.TemporaryDirectory() as folder:
            home = Path(folder)
            os.environ["XDG_CACHE_HOME"] = str(home / "cache")  # this machine's own stays as it is
            for step in follow(page, home):
                draw_after(step.command, page.stem.removeprefix("tutorial-"), home)


def draw_after(command: str, name: str, work: Path) -> None:
    """Draw the page that a command leaves in the working directory, if it leaves one that is shown."""
    if command.startswith("grade handed_in"):
        draw(f"{name}-report", Path("reports/s2/report.html").absolute().as_uri(), work)
    if name != "notebook":
        return
    if command == "grade table":
        with (
            reviewing("reports/gradebook.sqlite", "you", home=Path.cwd()) as links,
            browser(work / "profile of its own") as opened,
        ):
            tab = opened.tab()
            tab.open(links["you"])
            tab.wait(READY)
            tab.press("1")
            tab.wait(f"{READY} && document.body.innerText.includes('row')")
            tab.picture(IMAGES / f"{name}-review.png", width=WIDE, height=HIGH)
    elif command in PAGES:
        what, path = PAGES[command]
        draw(f"{name}-{what}", Path(path).absolute().as_uri(), work)


def draw(name: str, address: str, work: Path) -> None:
    """A picture of a page."""
    photograph(address, IMAGES / f"{name}.png", size=(WIDE, HIGH), work=work)


if __name__ == "__main__":
    main()
