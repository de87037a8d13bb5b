"""What follows a batch: each page is headed by the student whose work it is, as people call them now."""

from __future__ import annotations

from pathlib import Path

from support.marked_class import add_class, record

from grader.course.after_marks import follow
from grader.course.locations import Locations
from grader.course.report_files import report_name, write_reports
from grader.gradebook.rows import Student
from grader.gradebook.store import Gradebook
from grader.grading.assignment_folder import AssignmentFolder
from grader.model.assignment import Assignment, Item
from grader.model.points import Points

HW = Assignment("HW", Points.of(2), (Item("1", "Why", Points.of(2), "written"),))


def test_a_page_takes_the_name_that_a_later_roster_gives(tmp_path: Path) -> None:
    home = AssignmentFolder(tmp_path, HW, "0" * 64)
    locations = Locations(home, tmp_path, str(tmp_path / "g.sqlite"))
    with Gradebook.open(locations.gradebook) as gradebook:
        add_class(gradebook, HW, {"s1": {"1": "Because."}}, names={"s1": ""})
        grade = next(gradebook.grades("HW"))
        written = record(HW, "s1.ipynb", grade.submission.sha256, {"1": "Because."})
        page = write_reports(written, tmp_path, name=report_name("s1.ipynb"), home=home) / "report.html"
        assert "<h1>s1.ipynb</h1>" in page.read_text(encoding="utf-8")
        gradebook.add_students([Student("s1", "Ada <Lovelace>")])
        follow(gradebook, locations)
        assert "<h1>Ada &lt;Lovelace&gt; (s1)</h1>" in page.read_text(encoding="utf-8")
        before = page.stat().st_mtime_ns
        follow(gradebook, locations)
        assert page.stat().st_mtime_ns == before, "nothing is written anew"
