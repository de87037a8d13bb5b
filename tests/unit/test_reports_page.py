"""The page of a grade: complete, self-contained, inert and readable."""

from __future__ import annotations

import base64
import itertools
import re
from importlib import resources

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.inert_page import Page, assert_inert
from support.report_samples import (
    HOSTILE,
    PROSE,
    everywhere,
    failed,
    make_grade,
    make_items,
    mixed,
    nothing_runs,
    png,
    public_run,
    unconfined,
    with_checks,
    with_verdict,
)

from grader.model.assignment import RubricLine
from grader.model.points import Points
from grader.model.records import DoctorVerdict, Figure, Grade, decode, encode
from grader.reports.about import About, Asked
from grader.reports.page import anchor, render

BROKEN = DoctorVerdict(kept=19, tried=21, broken=("tcp", "<b>udp</b>\x1b[2J"), tried_on="2024-02-29")
EVERY = [make_grade(), mixed(), nothing_runs(), public_run(), unconfined(), with_verdict(BROKEN)]


@pytest.mark.parametrize("grade", EVERY)
def test_the_page_is_self_contained_and_inert(grade: Grade) -> None:
    html = render(grade)
    assert_inert(html)
    assert "url(" not in html.split("</style>")[0]
    assert "@import" not in html
    policy = next(
        each for each in Page(html).all("meta") if each.get("http-equiv") == "Content-Security-Policy"
    )
    assert policy["content"] == "default-src 'none'; img-src data:; style-src 'unsafe-inline'"


@pytest.mark.parametrize("grade", EVERY)
def test_the_page_survives_the_record_on_disk(grade: Grade) -> None:
    assert render(decode(encode(grade))) == render(grade)


def test_points_by_item_link_to_the_items() -> None:
    page = Page(render(mixed()))
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    for attributes in page.all("a"):
        assert str(attributes["href"]).removeprefix("#") in ids
    assert "3.1.1 (part of the points) Linear layer 4 of 6" in page.text
    assert "3.1.2 (no points) ReLU 0 of 4" in page.text
    assert "Total 9 of 28" in page.text
    assert (
        "9 earned 9 not earned 8 awaiting marking 2 needing attention 16 of 28 points are decided."
        in page.text
    )


def test_the_bar_is_whole() -> None:
    for grade in EVERY:
        bar = render(grade).split('class="bar"')[1].split("</div>")[0]
        shares = [float(share) for share in re.findall(r"width: ([\d.]+)%", bar)]
        assert sum(shares) == pytest.approx(100, abs=0.01)


def test_a_check_shows_outcome_points_fault_expected_and_printed() -> None:
    text = Page(render(mixed())).text
    assert (
        "✗ backward gives all three gradients 0 of 2 wrong value · the submission's code · hidden check"
        in text
    )
    assert "What the student reads Is the gradient you receive already that of the mean?" in text
    assert 'Expected, and what came gradient["W"]: shape (5, 3) and dtype float64 are as expected' in text
    assert "worst entry [2, 1]: expected -1.8230461, got -0.26043516" in text
    assert "Printed meanwhile forward got (7, 5)" in text
    assert "What happened no answer within 10 s" in text
    assert "the check itself: its author must act, no points are lost" in text


def test_what_awaits_marking_says_why_and_shows_the_answer() -> None:
    html = render(mixed())
    text = Page(html).text
    assert "Awaits marking: a person marks the answer The student's answer Smaller batches need" in text
    assert "<strong>fewer epochs</strong>" in html
    assert "<code>$B = 5$</code>" in html
    assert (
        "3.2.3.ii (awaits marking) Which batch size needs the fewest epochs? awaits marking: no answer"
        in text
    )
    assert "Awaits marking: no answer was found" in text


def test_missing_evidence_is_no_wrong_value() -> None:
    worth = Points.of(2)
    said = "nothing was recorded for item 3.3.i"
    missing = failed("3.3.i", "the curve is of this run", worth, detail=said, message=said)
    items = with_checks(make_items(), "3.3.i", missing, figures=(), found=False, decided=True)
    items = with_checks(items, "4.1.iii.curves", failed("4.1.iii.curves", "curves", worth, detail=said))
    text = Page(render(make_grade(items))).text
    assert "recorded nothing · the submission's code · hidden check" in text
    assert "What is missing nothing was recorded" in text
    assert "wrong value" not in text
    assert "No recorded evidence or figure was found for this item." in text
    assert "Awaits marking: a figure, but recorded nothing" in text


ASKED = About(
    "Ada Lovelace (s1)",
    {
        "3.2.3.i": Asked("Is *small* fast?", (RubricLine(Points.of(2), "Updates take time."),), "3.3.i"),
        "3.1.1": Asked("Write `forward`."),
    },
)


def test_the_student_is_the_heading_and_question_rubric_and_figures_stand_with_the_answer() -> None:
    html = render(make_grade(), ASKED)
    assert_inert(html)
    page = Page(html)
    assert page.text.startswith("Ada Lovelace (s1): HW3: neural networks HW3: neural networks Ada Lovelace")
    assert "Question Is small fast? Rubric 2 Updates take time. The student's answer Smaller" in page.text
    own = html.split('id="item-3.2.3.i"')[1].split("</section>")[0]
    assert 'The figures of <a href="#item-3.3.i">' in own
    assert own.count("<img") == 1
    assert "<details><summary>Question</summary>" in html.split('id="item-3.1.1"')[1].split("</section>")[0]


@pytest.mark.parametrize("text", [HOSTILE, "</title><script>alert(1)</script>"])
def test_hostile_names_and_questions_stay_text(text: str) -> None:
    asked = Asked(text, (RubricLine(Points.of(1), text),), text)
    assert_inert(render(make_grade(), About(text, {item.item: asked for item in make_items()})))


def test_cells_notices_attention_and_provenance_are_there() -> None:
    page = Page(render(mixed()))
    assert (
        "cell 12 raised an exception after 0.2 s · loss = backward_pass(model, x, a1, h1, a2, y)" in page.text
    )
    assert "Traceback Traceback (most recent call last): Cell 12, line 9, in backward_pass" in page.text
    assert page.text.index("Needs attention 3.1.5: the check") < page.text.index("Points by item")
    assert page.text.index("Notices The kernel name") < page.text.index("Points by item")
    for fact in ("seed 20240301", "ns-user", "a7" * 32, "5d" * 32, "2024-03-01T09:30:00Z, in 14.2 s"):
        assert fact in page.text
    assert "chainrule 0.1.0, Python 3.11.2, numpy 2.1.0, torch 2.13.0" in page.text
    assert "30 s a cell, 10 s a check, 300 s for the notebook, 600 s in all, 2048 MiB of memory" in page.text
    assert "EPOCHS = 1, MAX_ITERS = 50" in page.text


def test_figures_are_embedded_once_and_described() -> None:
    shared, lone = png(), png(9, 9)
    items = make_items(shared)
    figures = (items[6].figures[0], Figure(png=lone, width=9, height=9, cell=40))
    images = Page(render(make_grade(items, figures=figures))).all("img")
    sources = [str(image["src"]).removeprefix("data:image/png;base64,") for image in images]
    assert [base64.b64decode(source, validate=True) for source in sources] == [shared, shared, lone]
    assert images[2]["alt"] == "Figure that cell 40 of the submission drew, 9 by 9 pixels"
    assert (images[0]["width"], images[0]["height"]) == ("640", "400")


def test_no_isolation_is_said_first() -> None:
    body = render(unconfined()).split("<body>")[1]
    assert body.lstrip().startswith('<p class="banner" role="alert">NOT ISOLATED: ')
    assert "NOT ISOLATED" not in render(make_grade())


def test_doctors_verdict_stands_beside_the_mode_and_first_when_it_is_bad() -> None:
    assert (
        "ns-user Doctor's verdict 21 of 21 promises hold, tried on 2024-02-29"
        in Page(render(make_grade())).text
    )
    assert "Doctor's verdict not run here; `grade doctor` tries" in Page(render(with_verdict(None))).text
    assert "Doctor's verdict" not in render(unconfined())
    page = Page(render(with_verdict(BROKEN)))
    assert page.elements[page.elements.index(("body", {})) + 1] == ("p", {"class": "banner", "role": "alert"})
    assert "BROKEN ISOLATION (ns-user): " in page.text
    assert "(tcp, <b>udp</b>)" in page.text
    assert "19 of 21 promises hold" in page.text


def test_public_mode_counts_checks_and_names_no_points() -> None:
    text = Page(render(public_run())).text
    assert "9 of 10 public checks pass" in text
    assert "3.1.2 (some checks pass) ReLU 1 of 2 checks" in text
    assert "Points by item" not in text
    assert "awaiting marking" not in text


def test_accessible_structure() -> None:
    for grade in EVERY:
        page = Page(render(grade))
        assert page.all("html") == [{"lang": "en"}]
        assert len(page.all("h1")) == 1
        levels = [int(tag[1]) for tag, _ in page.elements if re.fullmatch("h[1-6]", tag)]
        assert all(after <= before + 1 for before, after in itertools.pairwise(levels))
        assert all(image["alt"] for image in page.all("img"))
        heads = [head for head in page.all("th") if "scope" in head]
        assert len(heads) > len(grade.items)


HARD = [
    HOSTILE,
    '"><script>alert(1)</script>',
    "</style><script>alert(1)</script>",
    "</title><script>alert(1)</script>",
    "' onmouseover='alert(1)",
    '" onfocus="alert(1)" autofocus="',
    "{{ 7*7 }}{% raw %}",
    "javascript:alert(1)",
    'data:image/png;base64,\u202e"><script>',
    "<!--",
    "]]>",
    "\ud800",
    PROSE,
    "",
]


@pytest.mark.parametrize("text", HARD)
def test_hostile_text_in_every_field_stays_text(text: str) -> None:
    html = render(everywhere(text))
    assert_inert(html)
    assert not set(html) & set("\x00\x07\x1b\u202e\u200b")
    html.encode("utf-8")
    if "7*7" in text:
        assert "{{ 7*7 }}" in Page(html).text


@settings(derandomize=True, max_examples=30, deadline=None)
@given(st.lists(st.one_of(st.sampled_from(HARD), st.sampled_from(list("<>\"'&`=/ \n")), st.text(max_size=9))))
def test_any_text_in_every_field_stays_text(pieces: list[str]) -> None:
    assert_inert(render(everywhere("".join(pieces))))


def test_a_page_stays_small_whatever_students_print() -> None:
    assert len(render(everywhere("x" * 1_000_000))) < 2_000_000


@settings(derandomize=True)
@given(st.text(max_size=20), st.text(max_size=20))
def test_anchors_are_plain_and_distinct(one: str, other: str) -> None:
    assert re.fullmatch(r"item-[\w.-]*", anchor(one), re.ASCII)
    assert (anchor(one) == anchor(other)) == (one == other)
    assert anchor("3.2.3.ii") == "item-3.2.3.ii"


def schemes() -> dict[str, dict[str, str]]:
    css = resources.files("grader.reports").joinpath("report.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    return dict(
        zip(
            ("light", "dark", "print"),
            (dict(re.findall(r"--([\w-]+): (#\w{6})", each)) for each in blocks),
            strict=True,
        )
    )


def luminance(color: str) -> float:
    parts = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (
        part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("scheme", ["light", "dark", "print"])
def test_every_text_colour_meets_wcag_aa(scheme: str) -> None:
    colors = schemes()[scheme]
    for text in ("ink", "soft", "good", "bad", "part", "wait", "call"):
        for ground in ("page", "card", "code"):
            assert contrast(colors[text], colors[ground]) >= 4.5, (text, ground)
    if "banner" in colors:
        assert contrast("#ffffff", colors["banner"]) >= 4.5
