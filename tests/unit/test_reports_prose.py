"""A student's Markdown becomes HTML that does nothing but show."""

from __future__ import annotations

import time
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.reports.prose import to_html

HOSTILE = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](<javascript:alert(1)>)",
    "[x](JaVaScRiPt&colon;alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "![x](http://tracker.example/pixel.png)",
    "![x](//tracker.example/pixel.png 'onload=alert(1)')",
    "![x][r]\n\n[r]: http://tracker.example/p.png",
    "<http://tracker.example>",
    "<javascript:alert(1)>",
    "http://tracker.example",
    "<style>body{display:none}</style>",
    "<iframe src=//tracker.example>",
    "<svg/onload=alert(1)>",
    "<div style='position:fixed;inset:0'>over everything</div>",
    "```<script>\nalert(1)\n```",
    '```html" onclick="alert(1)\n</code></pre><script>alert(1)</script>\n```',
    "`</code><script>alert(1)</script>`",
    "$</code><script>alert(1)</script>$",
    "$$\n</pre><script>alert(1)</script>\n$$",
    "| a |\n|---|\n| <img src=x onerror=alert(1)> |",
    "<!-- --!><script>alert(1)</script> -->",
    "<a href='http://tracker.example' onmouseover=alert(1)>x</a>",
    "# <script>alert(1)</script>\n> <base href=//tracker.example>",
    "<form action=//tracker.example><button>Log in</button></form>",
    "</section></main></body><h1>Full marks</h1>",
    "&lt;script&gt;alert(1)&lt;/script&gt;",
    "<meta http-equiv=refresh content='0;url=//tracker.example'>",
    "<math><mtext><table><mglyph><style><img src=x onerror=alert(1)>",
]

ALLOWED = {
    *("blockquote", "br", "code", "em", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre", "s", "strong", "ul"),
    *("table", "tbody", "td", "th", "thead", "tr"),
}


class Tags(HTMLParser):
    """Collects what a browser would take for markup."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str | None]] = []
        self.comments: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += attrs

    def handle_comment(self, data: str) -> None:
        self.comments.append(data)


def is_inert(page: str) -> bool:
    found = Tags(page)
    return found.tags <= ALLOWED and not found.attributes and not found.comments


@pytest.mark.parametrize("markdown", HOSTILE)
def test_hostile_markdown_leaves_plain_tags_without_attributes(markdown: str) -> None:
    assert is_inert(to_html(markdown))


@settings(derandomize=True, max_examples=200)
@given(
    st.lists(
        st.one_of(
            st.sampled_from(HOSTILE), st.sampled_from(list("<>[]()!`$*_|\n\"'&#-= ")), st.text(max_size=9)
        )
    )
)
def test_any_mixture_of_markup_is_inert(pieces: list[str]) -> None:
    assert is_inert(to_html("".join(pieces)))


def test_the_test_itself_sees_markup() -> None:
    assert not is_inert("<script>")
    assert not is_inert("<p onclick=x>")
    assert not is_inert("<!-- x -->")


def test_what_students_use_is_rendered() -> None:
    page = to_html("# Title\n\na *b* **c** `d` ~~e~~\n\n1. one\n   - two\n\n| x |\n|---|\n| 1 |\n\n> quoted")
    for expected in (
        "<h4>Title</h4>",
        "<em>b</em>",
        "<strong>c</strong>",
        "<code>d</code>",
        "<s>e</s>",
        "<li>two</li>",
        "<td>1</td>",
        "<blockquote>",
    ):
        assert expected in page


def test_a_bare_br_is_a_new_line_and_nothing_more_of_html_is() -> None:
    assert to_html("a<br>b<BR />c\n\n| x |\n|-|\n| 1<br/>2 |").count("<br>") == 3
    assert to_html("`<br>` <br onclick=x> <broken>") == (
        "<p><code>&lt;br&gt;</code> &lt;br onclick=x&gt; &lt;broken&gt;</p>\n"
    )


@pytest.mark.parametrize(("level", "tag"), [(1, "h4"), (2, "h5"), (3, "h6"), (6, "h6")])
def test_headings_go_below_the_pages_own(level: int, tag: str) -> None:
    assert to_html("#" * level + " x") == f"<{tag}>x</{tag}>\n"


def test_a_link_shows_its_address_and_leads_nowhere() -> None:
    assert to_html("[plot *a*](https://x.example/p?a=1&b=2)") == (
        "<p>plot <em>a</em> (https://x.example/p?a=1&amp;b=2)</p>\n"
    )
    assert to_html("<https://x.example>") == "<p>https://x.example</p>\n"


def test_an_image_shows_its_text_and_is_not_fetched() -> None:
    assert to_html("![loss](https://x.example/p.png)") == "<p>[image: loss (https://x.example/p.png)]</p>\n"


@pytest.mark.parametrize(
    "formula",
    [r"$W_{1} * x * b_{2}$", r"$a_1 _b_ \\ \{c\}$", r"$$\nabla_W L = X^T G \\ [x](y)$$", "$`a`$"],
)
def test_latex_stays_as_it_was_written(formula: str) -> None:
    assert to_html(f"so {formula} holds") == f"<p>so <code>{formula}</code> holds</p>\n"


def test_a_displayed_formula_stays_whole() -> None:
    formula = "$$\nv_{t+1} = \\alpha v_t\n- g_t * \\eta \\\\\n= 0\n$$"
    assert (
        to_html(f"text\n{formula}\nmore")
        == f"<p>text</p>\n<pre><code>{formula}\n</code></pre>\n<p>more</p>\n"
    )
    assert to_html("$$ x_1 * y_2 $$") == "<pre><code>$$ x_1 * y_2 $$\n</code></pre>\n"


def test_dollars_of_money_are_no_formula() -> None:
    assert to_html("from $5 to $6, *really*") == "<p>from $5 to $6, <em>really</em></p>\n"


def test_length_is_bounded() -> None:
    assert len(to_html("a" * 1_000, limit=100)) < 150


@pytest.mark.parametrize(
    "unit",
    [
        "[",
        "*a ",
        "> ",
        "$ ",
        "$a",
        "`a``",
        "![a](",
        "- ",
        "<",
        "$$\n",
        "$$a\n",
        "|a",
        "**a*",
        "[a]:x\n",
        "_a__b",
    ],
)
def test_hostile_prose_takes_bounded_time(unit: str) -> None:
    started = time.process_time()
    to_html(unit * 20_000)
    assert time.process_time() - started < 20  # a fraction of a second; a quadratic pass takes minutes
