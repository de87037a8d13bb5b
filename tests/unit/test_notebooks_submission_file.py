"""Whatever is handed in is read or refused with one clear line, never a traceback."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
import os
import socket
import struct
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.assignments import Item, manifest

from grader.inside.media_types import EVIDENCE
from grader.model.assignment import parse as parse_assignment
from grader.model.errors import SubmissionError
from grader.notebooks import submission_file
from grader.notebooks.answers import find_answers
from grader.notebooks.cells import first_line
from grader.notebooks.ipynb import MAX_CELLS, MAX_EVIDENCE, MAX_FIGURES
from grader.notebooks.parameters import with_budget
from grader.notebooks.recordings import MAX_NODES, BadRecording, read_recording


def png(width: int = 2, height: int = 1) -> str:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    rows = (b"\0" + bytes(width)) * height
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(rows))
        + chunk(b"IEND", b"")
    )
    return base64.b64encode(data).decode()


def code(source: Any = "x = 1", **extra: Any) -> dict[str, Any]:
    return {"cell_type": "code", "source": source, "metadata": {}, "outputs": [], **extra}


def notebook(*cells: Any, **extra: Any) -> dict[str, Any]:
    return {"cells": list(cells), "metadata": {}, "nbformat": 4, "nbformat_minor": 5, **extra}


def load(tree: Any, name: str = "hw3.ipynb") -> submission_file.SubmissionFile:
    return submission_file.from_bytes(json.dumps(tree).encode(), name=name)


def refusal(path: Path, **options: Any) -> str:
    with pytest.raises(SubmissionError) as caught:
        submission_file.read(path, **options)
    line = str(caught.value)
    assert "\n" not in line
    assert path.name[:40] in line
    return line


class TestFiles:
    def test_reads_name_size_digest_and_cells(self, tmp_path):
        path = tmp_path / "hw3.ipynb"
        data = json.dumps(notebook(code())).encode()
        path.write_bytes(data)
        found = submission_file.read(path)
        assert (found.name, found.kind, found.size) == ("hw3.ipynb", "notebook", len(data))
        assert found.sha256 == hashlib.sha256(data).hexdigest()
        assert found.module_name == "__main__"
        assert [(cell.number, cell.source) for cell in found.cells] == [(1, "x = 1")]

    def test_missing(self, tmp_path):
        assert "no such file" in refusal(tmp_path / "hw3.ipynb")

    def test_missing_because_a_parent_is_a_file(self, tmp_path):
        (tmp_path / "a").write_text("x")
        assert "no such file" in refusal(tmp_path / "a" / "hw3.ipynb")

    def test_directory(self, tmp_path):
        (tmp_path / "hw3.ipynb").mkdir()
        assert "folder" in refusal(tmp_path / "hw3.ipynb")

    def test_symlink_is_not_followed(self, tmp_path):
        (tmp_path / "real.ipynb").write_text(json.dumps(notebook(code())))
        (tmp_path / "hw3.ipynb").symlink_to(tmp_path / "real.ipynb")
        assert "symbolic link" in refusal(tmp_path / "hw3.ipynb")

    @pytest.mark.skipif(not hasattr(os, "O_NOFOLLOW"), reason="no such flag here")
    def test_symlink_put_there_after_the_first_look_is_not_followed(self, tmp_path, monkeypatch):
        real = tmp_path / "real.ipynb"
        real.write_text(json.dumps(notebook(code())))
        link = tmp_path / "hw3.ipynb"
        link.symlink_to(real)
        monkeypatch.setattr(Path, "lstat", lambda _self: real.stat())
        assert "symbolic link" in refusal(link)

    @pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
    def test_pipe_does_not_wait_for_its_other_end(self, tmp_path):
        os.mkfifo(tmp_path / "hw3.ipynb")
        assert "not a regular file" in refusal(tmp_path / "hw3.ipynb")

    @pytest.mark.skipif(sys.platform == "win32", reason="no device files here")
    def test_device(self):
        assert "not a regular file" in refusal(Path("/dev/zero"))

    @pytest.mark.skipif(not hasattr(socket, "AF_UNIX"), reason="no such sockets here")
    def test_socket(self, tmp_path, monkeypatch):
        monkeypatch.chdir(tmp_path)
        with socket.socket(socket.AF_UNIX) as server:
            server.bind("hw3.ipynb")
            assert "not a regular file" in refusal(tmp_path / "hw3.ipynb")

    def test_empty(self, tmp_path):
        (tmp_path / "hw3.ipynb").touch()
        assert "empty" in refusal(tmp_path / "hw3.ipynb")

    def test_too_big_says_the_limit_and_reads_nothing(self, tmp_path):
        path = tmp_path / "hw3.ipynb"
        with path.open("wb") as file:
            file.truncate(submission_file.MAX_BYTES + 1)
        line = refusal(path)
        assert "at most 200,000,000" in line

    def test_file_that_grows_while_it_is_read_is_too_big(self, tmp_path, monkeypatch):
        path = tmp_path / "hw3.ipynb"
        path.write_bytes(b"x" * 100)
        sizes = iter([10, 101])
        check = submission_file._assert_size
        monkeypatch.setattr(
            submission_file, "_assert_size", lambda _size, name, most: check(next(sizes), name, most)
        )
        assert "at most 50" in refusal(path, max_bytes=50)

    @pytest.mark.skipif(getattr(os, "geteuid", lambda: 1)() == 0, reason="root may read everything")
    def test_unreadable(self, tmp_path):
        path = tmp_path / "hw3.ipynb"
        path.write_text("{}")
        path.chmod(0)
        assert "permission" in refusal(path)

    def test_permission_denied_is_said_in_words(self, tmp_path, monkeypatch):
        path = tmp_path / "hw3.ipynb"
        path.write_text("{}")

        def denied(*_args: object) -> int:
            raise PermissionError(13, "Permission denied")

        monkeypatch.setattr(os, "open", denied)
        assert "permission denied" in refusal(path)

    @pytest.mark.parametrize("name", ["hw3.pdf", "hw3.zip", "hw3", "hw3.txt", ".ipynb"])
    def test_other_endings(self, tmp_path, name):
        (tmp_path / name).write_text(json.dumps(notebook(code())))
        assert ".ipynb" in refusal(tmp_path / name)

    def test_ending_in_capitals_is_fine(self, tmp_path):
        path = tmp_path / "HW3.IPYNB"
        path.write_text(json.dumps(notebook(code())))
        assert submission_file.read(path).kind == "notebook"

    def test_long_name_keeps_its_ending(self, tmp_path):
        path = tmp_path / f"{'a' * 200}.ipynb"
        path.write_text(json.dumps(notebook(code())))
        assert submission_file.read(path).kind == "notebook"

    def test_name_with_a_newline_stays_one_line(self, tmp_path):
        with pytest.raises(SubmissionError) as caught:
            submission_file.read(tmp_path / "a\nb.ipynb")
        assert "\n" not in str(caught.value)

    def test_nul_in_name(self):
        with pytest.raises(SubmissionError, match="not a usable file name"):
            submission_file.read(Path("a\0b.ipynb"))

    def test_works_without_the_flags_of_posix(self, tmp_path, monkeypatch):
        for flag in ("O_NOFOLLOW", "O_NONBLOCK", "O_CLOEXEC"):
            monkeypatch.delattr(os, flag, raising=False)
        path = tmp_path / "hw3.ipynb"
        path.write_text(json.dumps(notebook(code())))
        assert len(submission_file.read(path).cells) == 1


class TestJson:
    @pytest.mark.parametrize(
        ("data", "part"),
        [
            (b"%PDF-1.7 \xff\xfe", "not JSON"),
            (b"PK\x03\x04\0\0\0", "not JSON"),
            (b"   \n", "not JSON"),
            (b'{"cells": [', "not JSON"),
            (b'{"cells": ["', r"\(Unterminated string starting at line 1, column 12\); save it"),
            (b'{\n"a": "\n', r"\(Invalid control character at line 2, column 7\); save it"),
            (b'{"cells" 1}', r"\(Expecting ':' delimiter at line 1, column 10\); save it"),
            (b"[" * 100_000, "nested too deeply"),
            (b'{"a":' * 50_000, "nested too deeply"),
            (b"[]", "not a notebook"),
            (b'"text"', "not a notebook"),
            (b"null", "not a notebook"),
            (b"{}", "no list of cells"),
            (b'{"cells": {}}', "no list of cells"),
            (b'{"cells": 3, "worksheets": 4}', "no list of cells"),
        ],
    )
    def test_what_is_no_notebook_is_refused_in_one_line(self, data, part):
        with pytest.raises(SubmissionError, match=part) as caught:
            submission_file.from_bytes(data, name="hw3.ipynb")
        assert str(caught.value).startswith("hw3.ipynb: ")
        assert "\n" not in str(caught.value)

    @pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32"])
    def test_encodings_with_and_without_a_byte_order_mark(self, encoding):
        data = json.dumps(notebook(code("é = 'ß'")), ensure_ascii=False).encode(encoding)
        found = submission_file.from_bytes(data, name="hw3.ipynb")
        assert found.cells[0].source == "é = 'ß'"
        assert found.notices == ()

    def test_a_wrong_byte_costs_nothing_but_a_notice(self):
        data = json.dumps(notebook(code("x = 1  # ?"))).encode().replace(b"?", b"\xff")
        found = submission_file.from_bytes(data, name="hw3.ipynb")
        assert found.cells[0].source.startswith("x = 1")
        assert any("UTF-8" in notice for notice in found.notices)

    def test_huge_and_odd_numbers_and_duplicate_keys_do_no_harm(self):
        text = json.dumps(notebook(code())).replace(
            '"outputs": []',
            f'"outputs": [{{"data": {{"a": {"9" * 5000}, "b": NaN, "c": -Infinity, "d": 1e999}}}}],'
            '"execution_count": 1, "execution_count": 2',
        )
        assert submission_file.from_bytes(text.encode(), name="a.ipynb").cells[0].source == "x = 1"

    def test_lone_surrogates_become_storable_text(self):
        tree = notebook(
            code("s = '\ud800'"), code("s = '\ud83d\ude00'", metadata={"tags": ["\udfff"]}, id="\udc00")
        )
        for cell in load(tree).cells:
            (cell.source + "".join(cell.tags) + cell.id).encode()
        assert load(tree).cells[1].source == "s = '😀'"

    def test_many_small_values_are_counted_before_memory_is_taken(self):
        data = b'{"cells": [' + b"[]," * (submission_file.MAX_VALUES // 2 + 1) + b"[]]}"
        with pytest.raises(SubmissionError, match="values"):
            submission_file.from_bytes(data, name="a.ipynb")

    def test_commas_inside_outputs_text_are_not_values(self, monkeypatch):
        monkeypatch.setattr(submission_file, "MAX_VALUES", 1000)
        text = '1, 2, [3], {4}, "quoted", \\' * 1000
        tree = notebook(code(outputs=[{"output_type": "stream", "text": text}]))
        assert len(load(tree).cells) == 1


class TestCells:
    @pytest.mark.parametrize("source", ["a = 1\nb = 2", ["a = 1\n", "b = 2"]])
    def test_source_as_text_or_lines(self, source):
        assert load(notebook(code(source))).cells[0].source == "a = 1\nb = 2"

    def test_newlines_of_other_systems(self):
        assert load(notebook(code("a = 1\r\nb = 2\rc = 3"))).cells[0].source == "a = 1\nb = 2\nc = 3"

    def test_stripped_cells_are_fine(self):
        bare = {
            "cells": [{"cell_type": "code", "source": "x = 1"}, {"cell_type": "markdown", "source": "hi"}]
        }
        found = load(bare)
        assert [cell.kind for cell in found.cells] == ["code", "markdown"]
        assert found.notices == ()

    def test_odd_extras_are_fine(self):
        cell = code(metadata=[1], id=7, outputs="none", execution_count="x", colab={"a": 1})
        found = load(notebook(cell, metadata="gone", nbformat=99))
        assert found.cells[0].source == "x = 1"

    @pytest.mark.parametrize(
        "bad",
        [
            None,
            3,
            "text",
            [],
            {},
            {"cell_type": "code"},
            {"cell_type": "poem", "source": "x"},
            code(5),
            code([1]),
            {"cell_type": ["code"], "source": "x"},
            code({"a": 1}),
            code(None),
        ],
    )
    def test_malformed_cell_is_left_out_with_a_notice_and_keeps_its_number(self, bad):
        found = load(notebook(code("a = 1"), bad, code("b = 2")))
        assert [(cell.number, cell.source) for cell in found.cells] == [(1, "a = 1"), (3, "b = 2")]
        assert found.notices == ("cell 2 was left out: not a cell with a kind and text",)

    def test_many_malformed_cells_make_one_notice(self):
        (notice,) = load(notebook(*[None] * 20)).notices
        assert notice.startswith("cells 1, 2, 3, 4, 5, 6, 7, 8 and 12 more were left out")

    def test_no_cells(self):
        found = load(notebook())
        assert found.cells == ()
        assert found.notices == ("the notebook has no cells",)

    def test_tags_and_ids(self):
        cell = load(notebook(code(metadata={"tags": ["parameters", 4, "x" * 1000]}, id="abc"))).cells[0]
        assert (cell.tags, cell.id) == (("parameters",), "abc")

    def test_too_many_cells(self):
        with pytest.raises(SubmissionError, match=f"at most {MAX_CELLS:,}"):
            load(notebook(*[code()] * (MAX_CELLS + 1)))

    def test_a_cell_too_long_is_left_out_and_a_file_of_them_refused(self):
        long = "#" * 1_000_001
        found = load(notebook(code(long), code("x = 1")))
        assert [cell.number for cell in found.cells] == [2]
        assert "1,000,000 characters" in found.notices[0]
        with pytest.raises(SubmissionError, match="at most 8,000,000"):
            load(notebook(*[code("#" * 999_999)] * 9))

    @pytest.mark.parametrize(
        ("metadata", "named"),
        [
            ({"kernelspec": {"language": "R", "name": "ir"}}, True),
            ({"language_info": {"name": "julia"}}, True),
            ({"kernelspec": {"language": "python", "name": "csci567-env"}}, False),
            ({"kernelspec": {"name": "no-such-kernel"}}, False),
            ({"kernelspec": "odd", "language_info": []}, False),
            ({"language_info": {"name": "IPython"}}, False),
        ],
    )
    def test_only_another_language_is_worth_a_notice(self, metadata, named):
        found = load(notebook(code(), metadata=metadata))
        assert bool(found.notices) is named
        assert len(found.cells) == 1

    def test_foreign_text_in_a_notice_is_one_printable_short_line(self):
        found = load(notebook(code(), metadata={"language_info": {"name": "R\n\x1b[31m" + "x" * 5000}}))
        assert len(found.notices[0]) < 300
        assert found.notices[0].isprintable()


class TestNbformat3:
    def tree(self) -> dict[str, Any]:
        output = {"output_type": "pyout", "png": png(), "prompt_number": 3}
        return {
            "metadata": {"name": ""},
            "nbformat": 3,
            "nbformat_minor": 0,
            "worksheets": [
                {
                    "cells": [
                        {"cell_type": "heading", "level": 3, "source": ["Title"], "metadata": {}},
                        {
                            "cell_type": "code",
                            "input": ["x = 1\n", "x"],
                            "outputs": [output],
                            "language": "python",
                        },
                        {"cell_type": "markdown", "source": "prose"},
                    ]
                },
                {"cells": [{"cell_type": "code", "input": "y = 2"}]},
                "not a sheet",
            ],
        }

    def test_cells_of_all_worksheets(self):
        found = load(self.tree())
        assert [(cell.kind, cell.source) for cell in found.cells] == [
            ("markdown", "### Title"),
            ("code", "x = 1\nx"),
            ("markdown", "prose"),
            ("code", "y = 2"),
        ]
        assert [figure.width for figure in found.cells[1].figures] == [2]

    @pytest.mark.parametrize("level", [None, 0, 7, "3", 2.0, True, 10**9])
    def test_odd_heading_levels(self, level):
        tree = self.tree()
        tree["worksheets"][0]["cells"][0]["level"] = level
        assert load(tree).cells[0].source == "# Title"


class TestFiguresAndEvidence:
    def test_pictures_of_outputs_attachments_and_pasted_text(self):
        output = {"output_type": "display_data", "data": {"image/png": [png()[:10], png()[10:] + "\n"]}}
        answer = {"cell_type": "markdown", "source": f"see ![p](data:image/png;base64,{png(3)}) there"}
        attached = {"cell_type": "markdown", "source": "x", "attachments": {"a.png": {"image/png": png(4)}}}
        found = load(notebook(code(outputs=[output]), answer, attached))
        assert [figure.width for cell in found.cells for figure in cell.figures] == [2, 3, 4]
        assert [cell.figures[0].cell for cell in found.cells] == [1, 2, 3]
        assert found.cells[1].source == "see ![p](picture) there"

    def test_other_kinds_of_picture_are_never_taken(self):
        data = {"image/svg+xml": "<svg onload='x'/>", "text/html": "<img>", "image/jpeg": png()}
        assert load(notebook(code(outputs=[{"data": data}]))).cells[0].figures == ()

    def test_a_large_picture_pasted_into_prose_does_not_cost_the_prose(self):
        source = f"My answer. ![p](data:image/jpeg;base64,{'A' * 3_000_000})"
        assert (
            load(notebook({"cell_type": "markdown", "source": source}))
            .cells[0]
            .source.startswith("My answer.")
        )

    def test_bad_figure_is_a_notice(self):
        found = load(notebook(code(outputs=[{"data": {"image/png": "AAAA"}}])))
        assert found.cells[0].figures == ()
        assert found.notices == ("a figure of cell 1 was left out: it is not a PNG",)

    def test_at_most_forty_figures_per_file(self):
        found = load(notebook(*[code(outputs=[{"data": {"image/png": png()}}] * 9)] * 5))
        assert sum(len(cell.figures) for cell in found.cells) == MAX_FIGURES
        assert found.notices == (f"5 figures after the first {MAX_FIGURES} were left out",)

    def test_thousands_of_bad_outputs_make_few_notices(self):
        bad = {"data": {"image/png": "AAAA", EVIDENCE: 3}}
        assert len(load(notebook(code(outputs=[bad] * 3000))).notices) <= MAX_FIGURES + 2

    @pytest.mark.parametrize("form", [lambda v: v, json.dumps, lambda v: [json.dumps(v)]])
    def test_evidence_as_object_text_or_lines(self, form):
        value = {"item": "3.3.i", "curves": {"train": [0.5, 1, None, True]}}
        output = {"output_type": "display_data", "data": {EVIDENCE: form(value)}}
        assert load(notebook(code(outputs=[output]))).cells[0].evidence == (value,)

    @pytest.mark.parametrize(
        ("value", "why"),
        [
            *((value, "no object") for value in (None, 3, [], "[1]", "7")),
            *((value, "cut short or damaged") for value in ("text", "{", '{"item": "1", "data": [4.1')),
            ("[" * 100_000, "nested too deeply"),
            (json.loads('{"a":' * 20 + "1" + "}" * 20), "nested too deeply"),
            ({"a": [0] * (MAX_NODES + 1)}, "more than 200,000 values"),
            ({"a": [[0] * 500] * 500}, "more than 200,000 values"),
            ({"a": "x" * 4_000_001}, "at most 4,000,000 are read"),
            ("x" * 4_000_001, "4,000,001 characters or more; at most 4,000,000"),
            ({"k": "\ud800"}, "half characters"),
            ({"\ud800": 1}, "half characters"),
        ],
    )
    def test_evidence_that_is_not_small_plain_data_says_why(self, value, why):
        with pytest.raises(BadRecording, match=why):
            read_recording(value)

    def test_evidence_that_cannot_be_read_is_reported_for_its_cell(self):
        outputs = [{"data": {EVIDENCE: value}} for value in ('{"item": "1', {"item": "2"})]
        found = load(notebook(code(outputs=outputs)))
        assert found.cells[0].evidence == ({"item": "2"},)
        assert found.cells[0].bad_evidence == ("it is cut short or damaged: not JSON",)
        assert found.notices == ("evidence in cell 1 was left out: it is cut short or damaged: not JSON",)

    def test_evidence_objects_are_counted(self):
        found = load(notebook(code(outputs=[{"data": {EVIDENCE: {"item": "a"}}}] * (MAX_EVIDENCE + 5))))
        assert len(found.cells[0].evidence) == MAX_EVIDENCE
        assert len(found.cells[0].bad_evidence) == 5
        assert found.notices


class TestScripts:
    def test_a_plain_script_is_a_module_of_its_own_name(self):
        found = submission_file.from_bytes(b"x = 1\n", name="neural_networks.py")
        assert (found.kind, found.module_name) == ("script", "neural_networks")

    def test_a_percent_file_runs_as_a_notebook_does(self):
        assert submission_file.from_bytes(b"# %%\nx = 1\n", name="hw3.py").module_name == "__main__"

    def test_a_script_called_main_does_not_run_its_main(self):
        assert submission_file.from_bytes(b"x = 1\n", name="__main__.py").module_name == "submission"

    @pytest.mark.parametrize("data", [b"\x7fELF\0\0\0", b"x = 1\0\n"])
    def test_binary(self, data):
        with pytest.raises(SubmissionError, match="binary"):
            submission_file.from_bytes(data, name="a.py")

    def test_latin_1_comment(self):
        found = submission_file.from_bytes("x = 1  # café\n".encode("latin-1"), name="a.py")
        assert found.cells[0].source.startswith("x = 1  # caf")

    def test_too_long(self):
        with pytest.raises(SubmissionError, match="at most 4,000,000"):
            submission_file.from_bytes(b"#" * 4_000_001, name="a.py")

    def test_too_many_statements(self):
        with pytest.raises(SubmissionError, match="statements"):
            submission_file.from_bytes(b"x = 1\n" * (MAX_CELLS + 1), name="a.py")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
WHOLE = notebook(
    code("import numpy as np\nEPOCHS = 3\n%matplotlib inline", metadata={"tags": ["parameters"]}, id="a"),
    code(
        "record('3.3.i')",
        outputs=[{"data": {"image/png": png(), EVIDENCE: {"item": "3.3.i", "c": [1]}}}],
    ),
    {
        "cell_type": "markdown",
        "source": ["#### Answer 3.2.3.i\n", "text"],
        "attachments": {"a": {"image/png": "A"}},
    },
    metadata={"kernelspec": {"language": "python"}},
)
ASSIGNMENT = parse_assignment(
    manifest(Item("3.2.3.i", "a", points=2, kind="written"), Item("3.3.i", "b", points=2, kind="evidence"))
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [place for key, child in children for place in [(*path, key), *places(child, (*path, key))]]


def read_and_use(data: bytes) -> None:
    """All that the trusted side does with a submission before it runs."""
    try:
        found = submission_file.from_bytes(data, name="hw3.ipynb")
    except SubmissionError as error:
        lines = str(error).split("\n")
    else:
        lines = [""]
    assert len(lines) == 1
    if lines != [""]:
        return
    assert all(isinstance(notice, str) and "\n" not in notice for notice in found.notices)
    for cell in found.cells:
        assert type(cell.source) is str
        assert len(first_line(cell.source)) <= 100
        (cell.source + cell.id + "".join(cell.tags)).encode()
    find_answers(found.cells, ASSIGNMENT)
    with_budget(found.cells, {"EPOCHS": 1})


@settings(derandomize=True, deadline=None, max_examples=150)
@given(JSON)
def test_any_json_is_read_or_refused(tree):
    read_and_use(json.dumps(tree).encode())
    read_and_use(json.dumps({"cells": tree}).encode())
    read_and_use(json.dumps(notebook(tree, code(tree), code(outputs=tree))).encode())


@settings(derandomize=True, deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.sampled_from(places(WHOLE)), JSON | st.just("remove")), min_size=1, max_size=3))
def test_any_mutated_notebook_is_read_or_refused(changes):
    tree = copy.deepcopy(WHOLE)
    for path, value in changes:
        parent: Any = tree
        try:
            for key in path[:-1]:
                parent = parent[key]
            if value == "remove":
                del parent[path[-1]]
            else:
                parent[path[-1]] = value
        except (LookupError, TypeError):
            continue
    read_and_use(json.dumps(tree).encode())


@settings(derandomize=True, deadline=None, max_examples=100)
@given(st.integers(0, 10_000), st.binary(max_size=6), st.integers(0, 10))
def test_any_damaged_file_is_read_or_refused(place, inserted, removed):
    data = json.dumps(WHOLE).encode()
    place %= len(data)
    read_and_use(data[:place] + inserted + data[place + removed :])


@settings(derandomize=True, deadline=None, max_examples=150)
@given(st.text(alphabet="x=()[]'\"#%\\\n \t:!@abc\0é\r", max_size=60) | st.binary(max_size=60))
def test_any_script_is_read_or_refused(text):
    data = text.encode() if isinstance(text, str) else text
    try:
        found = submission_file.from_bytes(data, name="a.py")
    except SubmissionError:
        return
    with_budget(found.cells, {"x": 1})
