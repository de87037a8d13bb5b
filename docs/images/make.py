"""Makes the sample report, the README's two pictures and the class page's: ``python docs/images/make.py``.

``make.py draw`` draws the record that there is, after a change of a page or the table. The class is made up.

The sample is the full-marks notebook with one mistake put into its code, so that its curves, honest for the
code that was there before, are no longer those of the code that is handed in. Needs Debian's chromium and
fonts-liberation, and an idle machine: the seconds that grading took are in the pictures.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.class_page import DEADLINE, Made
from grader.course.class_report import class_report
from grader.course.locations import Locations
from grader.course.report_files import about
from grader.course.table import Rules
from grader.gradebook.store import Gradebook
from grader.grading import assignment_folder
from grader.model.records import Grade, decode
from grader.reports.class_page import render as render_class
from grader.reports.page import render
from grader.reports.terminal import print_report

ROOT = Path(__file__).resolve().parent.parent.parent
IMAGES, SAMPLE = ROOT / "docs" / "images", ROOT / "reports" / "sample"
RIGHT, WRONG = "grad.sum(axis=0, keepdims=True)", "grad.mean(axis=0, keepdims=True)"
SEED = "1"
WIDTH = 900
PARTS = ("", "#item-3.1.1")
SWITCHES = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--hide-scrollbars",
)


def main() -> None:
    """Grade the sample, unless its record is only to be drawn anew, then draw it."""
    with tempfile.TemporaryDirectory() as folder, tempfile.TemporaryDirectory() as cache:
        place = Path(folder)
        if sys.argv[1:] != ["draw"]:
            grade_sample(place, cache)
        record, home = decode((SAMPLE / "grade.json").read_bytes()), assignment_folder.load(ROOT)
        (SAMPLE / "report.html").write_text(render(record, about(home)), encoding="utf-8")
        photograph((SAMPLE / "report.html").as_uri(), IMAGES / "report.png", size=(WIDTH, 1500), work=place)
        (place / "terminal.svg").write_text(terminal(record), encoding="utf-8")
        photograph((place / "terminal.svg").as_uri(), IMAGES / "terminal.png", size=(1120, 1150), work=place)
        write_class_page(home, place)
        photograph((place / "class.html").as_uri(), IMAGES / "class.png", size=(1280, 1330), work=place)


def write_class_page(home: assignment_folder.AssignmentFolder, place: Path) -> None:
    """The page of a class that nobody attended."""
    locations = Locations(home, place, str(place / "gradebook.sqlite"))
    with Gradebook.open(locations.gradebook) as gradebook:
        Made(home, 120, place).hand_in(gradebook)
        found = class_report(gradebook, locations, Rules(deadline=DEADLINE), with_code=False)
    (place / "class.html").write_text(render_class(found), encoding="utf-8")


def grade_sample(place: Path, cache: str) -> None:
    """The sample's record, graded on a machine that doctor has tried."""
    (place / "sample.ipynb").write_text(with_mistake(), encoding="utf-8")
    # Doctor's verdict is part of every report; this machine's own stays as it is.
    own_cache = {**os.environ, "XDG_CACHE_HOME": cache}
    grade = [sys.executable, "-m", "grader.cli.main"]
    subprocess.run([*grade, "doctor"], env=own_cache, check=True)
    arguments = ["sample.ipynb", "--seed", SEED, "--assignment", str(ROOT), "--out", "out"]
    subprocess.run([*grade, *arguments], cwd=place, env=own_cache, check=True)
    shutil.copyfile(place / "out" / "sample" / "grade.json", SAMPLE / "grade.json")


def with_mistake() -> str:
    """The full-marks notebook with a mean where a sum belongs."""
    text = (ROOT / "examples" / "full_marks" / "hw3.ipynb").read_text(encoding="utf-8")
    tree = json.loads(text)
    changed = 0
    for cell in tree["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "code" and RIGHT in source:
            cell["source"] = source.replace(RIGHT, WRONG)
            changed += 1
    assert changed == 1, "the reference's gradient of the bias is written in another way now"
    return json.dumps(tree)


def terminal(grade: Grade) -> str:
    """The report on a terminal, as SVG."""
    console = Console(
        record=True, width=100, force_terminal=True, file=io.StringIO(), color_system="truecolor"
    )
    print_report(grade, console, report_path="reports/sample/report.html")
    return console.export_svg(title="grade sample.ipynb")


def photograph(address: str, path: Path, *, size: Sequence[int], work: Path) -> None:
    """A picture of a page in a real browser."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise SystemExit("no chromium on this machine; on Debian: apt install chromium fonts-liberation")
    window = f"--window-size={size[0]},{size[1]}"
    profile = f"--user-data-dir={work / 'profile'}"
    subprocess.run([chromium, *SWITCHES, window, profile, f"--screenshot={path}", address], check=True)


if __name__ == "__main__":
    main()
