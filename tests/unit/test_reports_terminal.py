"""The report on a terminal."""

from __future__ import annotations

import io

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from rich.console import Console
from support.report_samples import (
    HOSTILE,
    WRONG_GRADIENT,
    failed,
    make_grade,
    make_items,
    mixed,
    nothing_runs,
    public_run,
    unconfined,
    with_checks,
    with_verdict,
)

from grader.model.isolation import Mode
from grader.model.points import Points
from grader.model.records import CellResult, CellStatus, DoctorVerdict, Grade
from grader.reports import summary
from grader.reports.page import render
from grader.reports.progress import GradingProgress
from grader.reports.terminal import print_report


def printed(
    grade: Grade, *, width: int = 80, encoding: str = "utf-8", terminal: bool = False, path: str = ""
) -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    color = "standard" if terminal else None
    console = Console(
        file=stream, width=width, force_terminal=terminal, color_system=color, legacy_windows=False
    )
    print_report(grade, console, report_path=path)
    stream.flush()
    return raw.getvalue().decode(encoding)


def row(text: str, item: str) -> str:
    """The table's line of an item, its white space folded."""
    return next(" ".join(line.split()) for line in text.splitlines() if f" {item} " in line)


def test_every_item_shows_its_points_or_what_it_waits_for() -> None:
    text = printed(mixed(), width=100)
    assert row(text, "3.1.1") == "◐ 3.1.1 Linear layer 4 of 6"
    assert row(text, "3.1.2") == "✗ 3.1.2 ReLU 0 of 4"
    assert row(text, "3.1.5") == "! 3.1.5 Gradient checker needs attention of 4"
    assert row(text, "3.2.3.i").startswith("… 3.2.3.i Does a smaller batch size")
    assert row(text, "3.2.3.i").endswith("awaits marking of 2")
    assert row(printed(make_grade()), "3.1.1") == "✓ 3.1.1 Linear layer 6 of 6"


def test_a_code_item_without_checks_needs_attention_rather_than_marking() -> None:
    items = with_checks(
        make_items(), "3.1.2", decided=False, waits_for="checks: none could be run for this item"
    )
    text = printed(make_grade(items))
    assert row(text, "3.1.2") == "! 3.1.2 ReLU needs attention of 4"
    assert text.splitlines()[-1] == "16 of 28 points decided: 16 earned, 8 await marking, 4 need attention"


@pytest.mark.parametrize(
    ("grade", "line"),
    [
        (make_grade(), "20 of 28 points decided: 20 earned, 8 await marking"),
        (mixed(), "16 of 28 points decided: 9 earned, 8 await marking, 2 need attention"),
        (nothing_runs(), "20 of 28 points decided: 0 earned, 8 await marking"),
        (public_run(), "9 of 10 public checks pass"),
        (make_grade(make_items()[:4]), "18 of 18 points, all decided"),
    ],
)
def test_the_total_is_one_sentence(grade: Grade, line: str) -> None:
    assert printed(grade).splitlines()[-1] == line


def test_half_points_are_decimal_numbers() -> None:
    half = failed("3.4.momentum", "half", Points.of(2), earned=Points.of("1.5"))
    text = printed(make_grade(with_checks(make_items(), "3.4.momentum", half)))
    assert row(text, "3.4.momentum").endswith("1.5 of 2")
    assert text.splitlines()[-1] == "20 of 28 points decided: 19.5 earned, 8 await marking"


def test_a_failure_says_what_why_and_whose_fault() -> None:
    text = printed(mixed(), width=120)
    assert "✗ backward gives all three gradients" in text
    assert "wrong value · the submission's code" in text
    for line in WRONG_GRADIENT.splitlines():
        assert line in text
    assert "raised an exception · the check itself: its author must act, no points are lost" in text
    assert "no answer for" in text


def test_a_long_reason_is_shortened_in_the_middle() -> None:
    long = "\n".join(f"frame {number}" for number in range(100)) + "\nKeyError: 'w'"
    text = printed(
        make_grade(with_checks(make_items(), "3.1.2", failed("3.1.2", "t", Points.of(4), detail=long)))
    )
    assert "frame 0" in text
    assert "KeyError: 'w'" in text
    assert "93 lines left out" in text
    assert "frame 50" not in text


def test_without_detail_the_message_is_the_reason() -> None:
    check = failed("3.1.2", "t", Points.of(4), detail="", message="look at the mask")
    assert "look at the mask" in printed(make_grade(with_checks(make_items(), "3.1.2", check)))


def test_cells_that_went_wrong_are_listed_and_the_others_are_not() -> None:
    text = printed(mixed(), width=120)
    assert "cell 12 raised an exception · loss = backward_pass(model, x, a1, h1, a2, y)" in text
    assert "KeyError: 'w'" in text
    assert "cell 17 was stopped at its time limit · while True:" in text
    assert "cell 10" not in text
    assert "Cells that did not run" not in printed(make_grade())


def test_notices_and_attention_are_shown() -> None:
    text = printed(mixed(), width=120)
    assert "- Cell 2 asked for `!pip install torch`: nothing is installed while grading." in text
    assert "- 3.1.5: the check test_parameters_are_left failed through its own error (author)." in text


def test_no_isolation_is_the_first_line() -> None:
    assert printed(unconfined()).startswith("NOT ISOLATED: ")
    assert "NOT ISOLATED" not in printed(make_grade())


@pytest.mark.parametrize("mode", [Mode.SETUID, Mode.LANDLOCK])
def test_weaker_isolation_is_the_first_line_with_what_it_lacks(mode: Mode) -> None:
    first = " ".join(printed(with_verdict(None, isolation=mode)).split())
    assert first.startswith(f"Weaker isolation ({mode}): no namespaces here.")
    assert "fill the disk" in first


def test_doctors_verdict_stands_beside_the_mode() -> None:
    """On one line of eighty columns, also where doctor has not been asked; never where nothing isolates."""
    said = "seed 20240301 · isolation ns-user (doctor: {}) · 14.2 s"
    assert said.format("21 of 21 promises hold") in printed(make_grade()).splitlines()
    assert said.format("not run here") in printed(with_verdict(None)).splitlines()
    assert "doctor" not in printed(unconfined())


@pytest.mark.parametrize("mode", [Mode.NS_ROOT, Mode.LANDLOCK])
def test_a_broken_promise_is_the_first_line(mode: Mode) -> None:
    broken = DoctorVerdict(kept=15, tried=17, broken=("tcp", "udp\x1b[2J"), tried_on="2024-02-29")
    text = " ".join(printed(with_verdict(broken, isolation=mode)).split())
    assert text.startswith(f"BROKEN ISOLATION ({mode}): ")
    assert "(tcp, udp). Do not rely on this grade" in text
    assert ("no namespaces here" in text) == (mode is Mode.LANDLOCK)
    assert "15 of 17 promises hold" in text


def test_public_mode_counts_checks_and_names_no_points() -> None:
    text = printed(public_run(), width=100)
    assert row(text, "3.1.2") == "◐ 3.1.2 ReLU 1 of 2"
    assert "Points" not in text
    assert "0 of 2" not in text
    assert "public tests only, no points" in text


def test_the_reports_path_stays_on_one_line() -> None:
    path = "reports/" + "x" * 150 + "/report.html"
    assert f"Report: {path}" in printed(make_grade(), path=path).splitlines()


@pytest.mark.parametrize("grade", [mixed(), nothing_runs(), public_run(), unconfined()])
@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(grade: Grade, width: int) -> None:
    assert max(cell_len(line) for line in printed(grade, width=width).splitlines()) <= min(width, 110)


def test_a_narrow_terminal_still_shows_titles_and_points() -> None:
    text = printed(mixed(), width=40)
    assert row(text, "3.1.1").endswith("4 of 6")
    assert row(text, "3.2.3.i").endswith("open of 2")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "cp437", "latin-1"])
def test_a_terminal_without_unicode_gets_plain_signs(encoding: str) -> None:
    text = printed(mixed(), encoding=encoding, path="reports/日本/report.html")
    assert row(text, "3.1.1").startswith("/ 3.1.1")
    assert row(text, "3.1.2").startswith("x 3.1.2")
    assert text.isascii()
    assert "reports/??/report.html" in text


def test_piped_output_has_no_escape_sequence() -> None:
    assert "\x1b" not in printed(mixed())
    assert "\x1b[" in printed(mixed(), terminal=True)


def test_students_text_is_neither_markup_nor_control() -> None:
    text = printed(mixed(), width=200)
    assert "[bold red]markup[/bold red] [/] :boom:" in text
    assert "owned\x07" not in text
    assert not set(text) & set("\x00\x07\x1b\u202e\u200b")


def everywhere(text: str) -> Grade:
    """A grade with this text in every place that is not ours."""
    items = with_checks(make_items(), "3.1.2", failed("3.1.2", text, Points.of(4), detail=text, message=text))
    items = tuple(msgspec.structs.replace(item, title=text, waits_for=text, answer=text) for item in items)
    grade = msgspec.structs.replace(mixed(), items=items, notices=(text,), attention=(text,), assignment=text)
    cells = tuple(msgspec.structs.replace(cell, first_line=text, error=text) for cell in grade.cells)
    return msgspec.structs.replace(grade, cells=cells)


@settings(derandomize=True, max_examples=40, deadline=None)
@given(
    st.one_of(
        st.text(max_size=60), st.sampled_from([HOSTILE, "[/]", "[bold", "\\[x]", "[link=x]", "\ud800", ""])
    )
)
def test_any_text_can_be_printed(text: str) -> None:
    assert not set(printed(everywhere(text))) & set("\x00\x07\x1b\u202e\u200b\r")
    assert printed(everywhere(text), encoding="ascii").isascii()


def progress_on(*, terminal: bool, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    console = Console(file=stream, width=100, force_terminal=terminal, legacy_windows=False)
    with GradingProgress(console) as progress:
        progress.note("starting the sandbox")
        progress.cell(3, 40, f"x = 1  # {HOSTILE}")
        progress._progress.refresh()
        progress.check(2, 25, "forward returns [bold]X W + b[/bold]")
        progress._progress.refresh()
        progress.note("writing [the] report")
        progress._progress.refresh()
    stream.flush()
    return raw.getvalue().decode(encoding)


def test_progress_shows_cell_check_and_note_on_a_terminal() -> None:
    text = progress_on(terminal=True)
    assert "cell 3 of 40 x = 1" in text
    assert "check 2 of 25 forward returns [bold]X W + b[/bold]" in text
    assert "writing [the] report" in text
    assert "\x1b]0;owned" not in text
    assert "\u202e" not in text


def test_progress_is_silent_where_nobody_watches() -> None:
    assert progress_on(terminal=False) == ""


def test_progress_needs_no_unicode() -> None:
    assert "cell 3 of 40" in progress_on(terminal=True, encoding="ascii")


def test_a_submission_of_broken_cells_alone_is_listed_in_part() -> None:
    broken = tuple(
        CellResult(number, CellStatus.RAISED, error=f"error {number}.") for number in range(1, 101)
    )
    text = printed(msgspec.structs.replace(mixed(), cells=broken), width=100)
    assert "error 20." in text
    assert "error 21." not in text
    assert "and 80 more cells" in text


def test_what_was_done_differently_is_told_once_by_terminal_and_page() -> None:
    gpu, network = "a GPU (cuda): it runs on the processor", "the network: no connection can be made"
    cells = (
        CellResult(1, CellStatus.OK, notes=(gpu,)),
        CellResult(2, CellStatus.RAISED, notes=(gpu, network, *(f"!pip install <b>{n}" for n in range(30)))),
    )
    grade = msgspec.structs.replace(mixed(), cells=cells)
    lines = summary.notes(grade)
    assert lines[:2] == [f"{gpu} (cell 1)", f"{network} (cell 2)"]
    assert lines[-1] == "and 12 more"
    page = render(grade)
    assert page.count(gpu) == 1
    assert "&lt;b&gt;" in page
    assert "Done differently while grading" in page
    assert printed(grade).count("it runs on the processor") == 1
    assert "Done differently while grading" not in render(mixed())
