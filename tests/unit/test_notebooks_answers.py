"""Answers are found by the item's id, whatever was moved, copied, deleted or reformatted around them."""

from __future__ import annotations

import dataclasses
import itertools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.assignments import Item, manifest

from grader.model.assignment import parse
from grader.model.records import Figure
from grader.notebooks.answers import MAX_ANSWER, PLACEHOLDER, Answer, find_answers, recordings_of_nothing
from grader.notebooks.cells import Cell
from grader.notebooks.recordings import RawRecording

ASSIGNMENT = parse(
    manifest(
        *(
            Item(name, title, points=2, kind=kind)
            for name, title, kind in [
                ("3.1.1", "Linear layer", "code"),
                ("3.2.3.i", "Speed", "written"),
                ("3.2.3.ii", "Accuracy", "written"),
                ("3.3.i", "Accuracy curves", "evidence"),
                ("4.1.i.answer", "What it writes", "written"),
                ("4.1.ii", "Loss curve", "evidence"),
            ]
        )
    )
)
QUESTION_I = "### 3.2.3.i Speed (2 points)\n\nDoes a smaller batch train faster?"
ANSWER_I = f"#### Answer 3.2.3.i\n\n{PLACEHOLDER}"
QUESTION_II = "### 3.2.3.ii Accuracy (2 points)\n\nIs it more accurate?"
ANSWER_II = f"#### Answer 3.2.3.ii\n\n{PLACEHOLDER}"
TEMPLATE = (
    "## 3.2 The effect of the batch size",
    QUESTION_I,
    ANSWER_I,
    QUESTION_II,
    ANSWER_II,
    "## 3.3 Early stopping\n\nNow stop early.",
)


def prose(*sources: str) -> list[Cell]:
    return [Cell(number, "markdown", source) for number, source in enumerate(sources, start=1)]


def found(cells: list[Cell], item: str = "3.2.3.i", *, known: bool = False) -> Answer:
    return find_answers(cells, ASSIGNMENT, template=prose(*TEMPLATE) if known else ())[item]


def figure(name: bytes) -> Figure:
    return Figure(png=name, width=1, height=1, cell=0)


def drawing(number: int, source: str = "plot()", **extra: object) -> Cell:
    return Cell(number, "code", source, figures=(figure(b"%d" % number),), **extra)


class TestWritten:
    def test_only_written_and_evidence_items_are_answered(self):
        answers = find_answers([], ASSIGNMENT)
        assert list(answers) == ["3.2.3.i", "3.2.3.ii", "3.3.i", "4.1.i.answer", "4.1.ii"]
        assert set(answers.values()) == {Answer()}

    @pytest.mark.parametrize("known", [False, True])
    def test_the_untouched_template_answers_nothing(self, known):
        answers = find_answers(prose(*TEMPLATE), ASSIGNMENT, template=prose(*TEMPLATE) if known else ())
        assert not any(answer.found or answer.text for answer in answers.values())

    @pytest.mark.parametrize(
        "blank",
        [
            "",
            "  \n\n",
            "_Write your answer here_",
            "> *write your answer here.*",
            "**Type your answer here**",
        ],
    )
    def test_placeholders_and_blanks_are_no_answer(self, blank):
        assert not found(prose(QUESTION_I, f"#### Answer 3.2.3.i\n\n{blank}")).found

    def test_the_prose_under_the_heading(self):
        cells = prose(*TEMPLATE)
        cells[2] = dataclasses.replace(cells[2], source="#### Answer 3.2.3.i\n\nNo.\n\n- because")
        assert found(cells) == Answer("No.\n\n- because", found=True, cells=(3,))
        assert not found(cells, "3.2.3.ii").found

    @pytest.mark.parametrize(
        "heading",
        [
            "#### Answer 3.2.3.i",
            "# Answer 3.2.3.i",
            "####Answer 3.2.3.i",
            "Answer 3.2.3.i",
            "**Answer 3.2.3.i**",
            "__Answer: 3.2.3.i__",
            "#### Answer 3.2.3.I:",
            "#### My answer to question 3.2.3.i.",
            "Answer (3.2.3.i)",
            "> #### Answer 3.2.3.i",
            "Answer for Q3.2.3.i",
            "#### Solution 3.2.3.i",
            "### 3.2.3.i",
            "**3.2.3.i**",
            "3.2.3.i)",
            "#### Answer 3.2.3.i Speed (2 points)",
            "## Batch size and speed: 3.2.3.i",
        ],
    )
    def test_headings_as_students_change_them(self, heading):
        answer = found(prose(f"{heading}\n\nNo, it does not."))
        assert answer.found
        assert answer.text == "No, it does not."

    @pytest.mark.parametrize(
        "line",
        [
            "**Answer 3.2.3.i:** No, never.",
            "Answer 3.2.3.i - No, never.",
            "#### Answer 3.2.3.i: No, never.",
            "3.2.3.i: No, never.",
        ],
    )
    def test_an_answer_on_the_heading_s_own_line(self, line):
        assert found(prose(line)).text == "No, never."

    def test_one_id_is_not_found_in_another(self):
        answers = find_answers(prose("#### Answer 3.2.3.ii\n\nsecond"), ASSIGNMENT)
        assert not answers["3.2.3.i"].found
        assert answers["3.2.3.ii"].text == "second"
        for other in ("13.2.3.i", "3.2.3.iv", "3.2.3.i.b", "3.2.3.i2", "0.3.2.3.i"):
            assert not found(prose(f"#### Answer {other}\n\ntext")).found, other

    def test_prose_that_mentions_an_item_is_no_heading(self):
        cells = prose(
            "#### Answer 3.2.3.ii\n\nSee above.\nIn 3.2.3.i no.\n3.2.3.i shows it too.\nMy answer stands."
        )
        assert "stands" in found(cells, "3.2.3.ii").text
        assert not found(cells).found

    def test_comments_in_code_blocks_are_no_headings(self):
        text = "#### Answer 3.2.3.i\n\nLook:\n\n```python\n# 3.2.3.ii is\nx = 1\n```\n\nDone."
        assert found(prose(text)).text.endswith("Done.")

    def test_headings_of_the_student_s_own_belong_to_the_answer(self):
        text = "#### Answer 3.2.3.i\n\n## 1. Time\n\nlong\n\n## alpha = 0.5\n\nlonger"
        assert "longer" in found(prose(text)).text

    def test_a_section_ends_the_answer(self):
        for heading in (
            "## 3.3 Early stopping",
            "# Part 4: a transformer",
            "### 3.1.3 Given",
            "# 3 Networks",
            "### 3.1.1 Linear layer",
        ):
            assert found(prose("#### Answer 3.2.3.i\n\nNo.", f"{heading}\n\nother")).text == "No."

    def test_several_answers_in_one_cell(self):
        answers = find_answers(prose("#### Answer 3.2.3.i\nfirst\n#### Answer 3.2.3.ii\nsecond"), ASSIGNMENT)
        assert (answers["3.2.3.i"].text, answers["3.2.3.ii"].text) == ("first", "second")

    def test_one_answer_to_two_items(self):
        answers = find_answers(prose("#### Answer 3.2.3.i and 3.2.3.ii\n\nboth"), ASSIGNMENT)
        assert answers["3.2.3.i"].text == answers["3.2.3.ii"].text == "both"

    def test_an_answer_in_new_cells_below(self):
        assert found(prose(QUESTION_I, ANSWER_I, "No.", "Because.", QUESTION_II)).text == "No.\n\nBecause."

    def test_code_between_heading_and_answer(self):
        cells = [
            *prose(ANSWER_I),
            Cell(2, "code", "# 3.2.3.i: not an answer\nx = 1"),
            Cell(3, "markdown", "No."),
        ]
        assert found(cells).text == "No."

    def test_an_answer_below_the_question_whose_answer_cell_was_deleted(self):
        assert found(prose(QUESTION_I, "No, not faster.", QUESTION_II)).text == "No, not faster."

    def test_an_answer_between_question_and_empty_answer_cell_when_the_template_is_known(self):
        cells = prose(TEMPLATE[0], QUESTION_I, "No, not faster.", *TEMPLATE[2:])
        assert found(cells, known=True).text == "No, not faster."

    def test_what_the_template_says_is_nobody_s_answer(self):
        cells = prose("#### Answer 3.2.3.i\n\nNo.", "Now  stop\nearly.")
        assert found(cells, known=True).text == "No."

    def test_a_deleted_question(self):
        assert found(prose("#### Answer 3.2.3.i\n\nNo.")).text == "No."

    def test_duplicated_cells_say_their_text_once(self):
        cells = prose(
            "#### Answer 3.2.3.i\n\nNo.", "#### Answer 3.2.3.i\n\n No. \n", "#### Answer 3.2.3.i\n\nMore."
        )
        assert found(cells).text == "No.\n\nMore."
        assert found(cells).cells == (1, 2, 3)

    def test_a_duplicate_that_still_holds_the_placeholder_hides_nothing(self):
        assert found(prose(ANSWER_I, "#### Answer 3.2.3.i\n\nNo.", ANSWER_I)).text == "No."

    def test_reordered_answers(self):
        cells = [
            "#### Answer 3.2.3.i\n\nfirst",
            "#### Answer 3.2.3.ii\n\nsecond",
            "#### Answer 4.1.i.answer\n\nthird",
            QUESTION_I,
        ]
        for order in itertools.permutations(cells):
            answers = find_answers(prose(*order), ASSIGNMENT)
            assert [answers[item].text for item in ("3.2.3.i", "3.2.3.ii", "4.1.i.answer")] == [
                "first",
                "second",
                "third",
            ]

    def test_comments_are_not_seen(self):
        assert not found(prose("#### Answer 3.2.3.i\n\n<!-- note -->")).found
        assert (
            found(prose("#### Answer 3.2.3.i\n\n<!-- BEGIN -->\nNo. a < b\n<!-- END -->")).text == "No. a < b"
        )

    def test_a_pasted_picture_is_an_answer(self):
        cell = Cell(1, "markdown", "#### Answer 3.2.3.i", figures=(figure(b"x"),))
        assert found([cell]).found
        assert found([cell]).figures == (figure(b"x"),)

    def test_an_endless_answer_is_cut_and_says_so(self):
        text = found(prose("#### Answer 3.2.3.i\n\n" + "word " * MAX_ANSWER)).text
        assert len(text) < MAX_ANSWER + 100
        assert text.endswith("[cut here: longer than 50,000 characters]")

    @pytest.mark.parametrize(
        "bomb",
        ["<!--" * 200_000, "#" * 500_000, "answer " * 100_000, "`" * 500_000, "\n" * 300_000, "> " * 300_000],
    )
    def test_long_hostile_text_takes_no_time(self, bomb):
        find_answers(prose(f"#### Answer 3.2.3.i\n{bomb}"), ASSIGNMENT)


class TestEvidence:
    def test_pictures_of_the_code_under_the_item_s_heading(self):
        cells = [
            *prose("### 3.3.i Accuracy curves (2 points)"),
            drawing(2),
            drawing(3),
            Cell(4, "markdown", "### 4.1.ii Loss curve"),
            drawing(5),
        ]
        answers = find_answers(cells, ASSIGNMENT)
        assert [f.png for f in answers["3.3.i"].figures] == [b"2", b"3"]
        assert answers["3.3.i"].cells == (2, 3)
        assert [f.png for f in answers["4.1.ii"].figures] == [b"5"]
        assert not answers["3.2.3.i"].found

    def test_nothing_was_run(self):
        cells = [*prose("### 3.3.i Accuracy curves"), Cell(2, "code", 'record("3.3.i", curves)')]
        assert not found(cells, "3.3.i").found

    @pytest.mark.parametrize("source", ['record("4.1.ii", x)', "record('4.1.ii')", 'ITEM = "4.1.II"'])
    def test_a_cell_that_names_its_item_counts_wherever_it_stands(self, source):
        cells = [*prose("### 3.3.i Accuracy curves"), drawing(2, source)]
        assert [f.png for f in found(cells, "4.1.ii").figures] == [b"2"]
        assert not found(cells, "3.3.i").found

    def test_naming_a_code_item_takes_nothing_away(self):
        cells = [*prose("### 3.3.i Accuracy curves"), drawing(2, 'check("3.1.1")')]
        assert found(cells, "3.3.i").found

    def test_recorded_evidence_names_its_item(self):
        evidence = {"item": "4.1.ii", "loss": [4.4, 1.8]}
        answers = find_answers(
            [*prose("### 3.3.i Accuracy curves"), drawing(2, evidence=(evidence,))], ASSIGNMENT
        )
        assert answers["4.1.ii"].evidence == (RawRecording(2, evidence),)
        assert answers["4.1.ii"].found
        assert answers["4.1.ii"].figures
        assert answers["3.3.i"].evidence == ()

    def test_evidence_without_an_item_belongs_to_its_section(self):
        cells = [*prose("### 3.3.i Accuracy curves"), Cell(2, "code", "x", evidence=({"a": 1}, {"item": 3}))]
        assert found(cells, "3.3.i").evidence == (RawRecording(2, {"a": 1}), RawRecording(2, {"item": 3}))

    def test_evidence_of_unknown_items_is_no_one_s(self):
        cells = [Cell(1, "code", "x", evidence=({"item": "9.9"}, {"item": "3.1.1"}))]
        assert not any(answer.found for answer in find_answers(cells, ASSIGNMENT).values())

    def test_a_recording_of_no_item_is_one_line_that_does_not_repeat_its_name(self):
        bad = "3.3.i\x1b[2J of item '4.1.ii', all points"
        stray = Cell(2, "code", "x", evidence=({"item": bad}, {"item": bad, "loss": [1.0]}))
        cells = [*prose("### 3.3.i Accuracy curves"), stray]
        answers = find_answers(cells, ASSIGNMENT)
        line = "the recording in cell 2 names no item of this assignment, so it counts for none"
        assert answers["3.3.i"].bad_evidence == (line,)
        assert answers["3.3.i"].evidence == answers["4.1.ii"].evidence == ()
        assert list(recordings_of_nothing(cells, ASSIGNMENT)) == [line]
        known = dataclasses.replace(stray, evidence=({"item": "4.1.ii"}, {"item": 3}, {}))
        assert list(recordings_of_nothing([known], ASSIGNMENT)) == []

    def test_duplicated_cells_count_once(self):
        cell = dataclasses.replace(drawing(2, 'record("3.3.i")'), evidence=({"item": "3.3.i"},))
        answer = found([cell, cell], "3.3.i")
        assert len(answer.figures) == len(answer.evidence) == 1

    def test_what_stands_under_its_own_heading_counts_before_a_stray(self):
        """A recording of the wrong item costs the item that it stands under, and no other."""
        right, wrong = {"item": "4.1.ii", "a": 1}, {"item": "4.1.ii", "a": 2}
        cells = [
            *prose("### 3.3.i Accuracy curves"),
            Cell(2, "code", 'record("4.1.ii")', evidence=(wrong,)),
            *prose("### 4.1.ii Loss curve"),
            Cell(4, "code", "x", evidence=(right,)),
        ]
        answers = find_answers(cells, ASSIGNMENT)
        assert answers["4.1.ii"].evidence == (RawRecording(4, right),)
        assert answers["4.1.ii"].bad_evidence == ()
        assert answers["3.3.i"].bad_evidence == ("the recording in cell 2 is of item '4.1.ii'",)
        assert find_answers(cells[:2], ASSIGNMENT)["4.1.ii"].evidence == (RawRecording(2, wrong),)

    def test_a_recording_that_cannot_be_read_is_reported_for_the_cells_item(self):
        cells = [*prose("### 3.3.i Accuracy curves"), Cell(2, "code", "x", bad_evidence=("it is no object",))]
        answers = find_answers(cells, ASSIGNMENT)
        assert answers["3.3.i"].found
        assert answers["3.3.i"].bad_evidence == ("the recording in cell 2 cannot be read: it is no object",)
        assert not answers["4.1.ii"].found

    def test_an_answer_cell_moved_into_a_section_does_not_take_a_named_picture(self):
        cells = [
            *prose("### 3.3.i Accuracy curves", "#### Answer 3.2.3.i\n\nNo."),
            drawing(3, 'record("3.3.i", c)'),
        ]
        assert found(cells, "3.3.i").found


@settings(derandomize=True, deadline=None, max_examples=200)
@given(
    st.permutations(range(6)), st.lists(st.integers(0, 5), max_size=4), st.sets(st.integers(0, 5), max_size=2)
)
def test_answers_survive_moving_copying_and_deleting_cells(order, copies, deleted):
    """Each answer that is still there is found, with its own text and no other's."""
    texts = {"3.2.3.i": "first", "3.2.3.ii": "second", "4.1.i.answer": "third"}
    cells = [f"#### Answer {item}\n\n{text}" for item, text in texts.items()]
    cells += ["### 3.2.3.i Speed (2 points)", "## 3.3 Early stopping", "### 3.1.1 Linear layer"]
    kept = [index for index in [*order, *copies] if index not in deleted]
    answers = find_answers(prose(*(cells[index] for index in kept)), ASSIGNMENT)
    for index, (item, text) in enumerate(texts.items()):
        assert answers[item].text == (text if index in kept else "")
