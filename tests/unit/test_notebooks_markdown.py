"""Markdown notebooks: read as jupytext reads them."""

import jupytext
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.model.errors import SubmissionError
from grader.notebooks.markdown import read_markdown
from grader.notebooks.submission_file import from_bytes

KERNEL = "kernelspec:\n    display_name: Python 3\n    language: python\n    name: python3"
HEADER = f"---\njupyter:\n  {KERNEL}\n---\n\n"


def ours(text: str) -> list[tuple[str, str]]:
    return [(kind, source) for _, kind, source, _ in read_markdown(text)]


def theirs(text: str) -> list[tuple[str, str]]:
    cells = jupytext.reads(text, fmt="md").cells
    found = [(cell.cell_type, cell.source.strip("\n")) for cell in cells]
    return [(kind, source) for kind, source in found if source.strip()]


@pytest.mark.parametrize("header", ["", HEADER])
@pytest.mark.parametrize(
    "text",
    [
        "# Title\n\nprose\n\n```python\nx = 1\n```\n\nmore\n",
        "one\n\n\ntwo\n\n```python\nx = 1\n\ny = 2\n```\n```python\nz = 3\n```\n",
        "```\nno cell\n```\n\n```text\n```python\n```\n\n```python\nx = 1\n```\n",
        '<!-- #region -->\na\n\n\nb\n<!-- #endregion -->\n\n```python tags=["parameters"]\nE = 1\n```\n',
        "<!-- #raw -->\nraw\n<!-- #endraw -->\n\n```python\nx = 1\n```\n",
        "```bash\nls\n```\n\n```python .noeval\nx = 1\n```\n\n```python\ny = 1\n```\n",
        "````python\ns = '''\n```\n'''\n````\n",
        "```python\nx = 1\n",
    ],
)
def test_as_jupytext_reads_it(header, text):
    assert ours(header + text) == theirs(header + text)


def test_tags_lines_and_the_form_of_myst():
    text = "prose\n\n```{code-cell} ipython3\n:tags: [parameters, hide]\n\nEPOCHS = 1\n```\n"
    assert list(read_markdown(text))[1] == (6, "code", "EPOCHS = 1", ("parameters", "hide"))
    found = from_bytes(b'```python tags=["parameters"]\nE = 1\n```\n', name="hw3.md")
    assert (found.kind, found.module_name, found.cells[0].tags) == ("notebook", "__main__", ("parameters",))


def test_python_by_any_of_its_names_is_code():
    # jupytext makes a magic of "python3", which would run elsewhere.
    assert ours("```python3\nx = 1\n```\n```{python}\ny = 1\n```") == [("code", "x = 1"), ("code", "y = 1")]


def test_prose_alone_is_no_notebook():
    with pytest.raises(SubmissionError, match=r"README.md: Markdown without a block of Python"):
        from_bytes(b"# Read me\n", name="README.md")


LINE = st.sampled_from(
    ["", "", "text", "```python", "```", "````", "# h", "<!-- #region -->", "x = 1", "---"]
)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(st.lists(LINE, max_size=30))
def test_any_markdown_is_read_and_nothing_is_lost(lines):
    found = ours("\n".join(lines))
    kept = sum(source.count("text") for _, source in found)
    assert kept == lines.count("text") or "---" in lines[:1]


def test_a_hundred_thousand_fences_take_linear_time():
    assert len(ours("```python\n" * 50_000)) <= 50_000
    assert ours("```\n" * 99_999)
