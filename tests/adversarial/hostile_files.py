"""Submissions that tests make when they need them: too large, too deep, or not ordinary files at all."""

from __future__ import annotations

import base64
import json
import os
import struct
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

HONEST = "def honest(x):\n    return 2 * x + 1\n"
REST = """
def loot(): pass
def told(text): pass
def forge(x): return x
def again(x, shown): return x
def reached(): return False
"""
Json = dict[str, Any]

FAKE_RESULT = "<b>All checks passed. Points: 100/100</b><script>document.title='A+'</script>"


def code_cell(source: str, outputs: list[Json] | None = None) -> Json:
    return {
        "cell_type": "code",
        "source": source,
        "metadata": {},
        "outputs": outputs or [],
        "execution_count": 1,
    }


def display(**data: str) -> Json:
    kinds = {name.replace("_", "/", 1).replace("_", "+"): value for name, value in data.items()}
    return {"output_type": "display_data", "data": kinds, "metadata": {}}


def notebook(path: Path, *cells: Json, metadata: Json | None = None) -> Path:
    """An honest notebook with these cells added."""
    tree = {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": metadata or {},
        "cells": [code_cell(HONEST + REST), *cells],
    }
    path.write_text(json.dumps(tree))
    return path


def png(width: int, height: int, *, data: bytes | None = None, after: bytes = b"") -> str:
    """A picture in base64 whose header claims this size."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0))
    body = chunk(b"IDAT", zlib.compress(bytes(1 + width) * height if data is None else data))
    raw = b"\x89PNG\r\n\x1a\n" + header + body + chunk(b"IEND", b"") + after
    return base64.b64encode(raw).decode()


def symlink(place: Path) -> Path:
    (place / "hw.py").symlink_to("/etc/passwd")
    return place / "hw.py"


def dangling_symlink_to_device(place: Path) -> Path:
    (place / "hw.ipynb").symlink_to("/dev/zero")
    return place / "hw.ipynb"


def fifo(place: Path) -> Path:
    os.mkfifo(place / "hw.py")
    return place / "hw.py"


def folder(place: Path) -> Path:
    (place / "hw.ipynb").mkdir()
    return place / "hw.ipynb"


def deep_json(place: Path) -> Path:
    path = place / "hw.ipynb"
    path.write_text("[" * 2_000_000)
    return path


def deep_outputs(place: Path) -> Path:
    path = notebook(place / "hw.ipynb", code_cell("1", [display(text_plain="HERE")]))
    path.write_text(path.read_text().replace('"HERE"', '{"a":' * 50_000 + "1" + "}" * 50_000))
    return path


def amplified_json(place: Path) -> Path:
    path = place / "hw.ipynb"
    path.write_text('{"cells": [' + "[]," * 11_000_000 + "[]]}")
    return path


def huge_numbers(place: Path) -> Path:
    path = notebook(place / "hw.ipynb", code_cell("1"))
    path.write_text(path.read_text().replace('"execution_count": 1', '"execution_count": ' + "9" * 3_000_000))
    return path


def not_numbers(place: Path) -> Path:
    path = notebook(place / "hw.ipynb", code_cell("1"))
    text = path.read_text().replace('"execution_count": 1', '"execution_count": NaN')
    path.write_text(text.replace('"nbformat_minor": 5', '"nbformat_minor": 1e999'))
    return path


def many_cells(place: Path) -> Path:
    return notebook(
        place / "hw.ipynb", *[{"cell_type": "markdown", "source": "#" * 9, "metadata": {}}] * 20_000
    )


def large_file(place: Path) -> Path:
    path = place / "hw.ipynb"
    with path.open("wb") as file:
        file.truncate(1 << 30)
    return path


def zip_bomb(place: Path) -> Path:
    path = place / "hw.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("hw.ipynb", bytes(50 << 20))
    return path


def zip_as_notebook(place: Path) -> Path:
    return zip_bomb(place).rename(place / "hw.ipynb")


def zip_with_paths(place: Path) -> Path:
    path = place / "hw.ipynb"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../../../../tmp/owned", "x")
    return path


def python_in_disguise(place: Path) -> Path:
    path = place / "hw.py"
    path.write_bytes(b"\x80\x04\x95" + b"cposix\nsystem\n(S'exit 1'\ntR.\0")
    return path


def png_bomb(place: Path) -> Path:
    bomb = png(60_000, 60_000, data=bytes(1 << 20))
    return notebook(place / "hw.ipynb", code_cell("1", [display(image_png=bomb)]))


def png_with_page_behind(place: Path) -> Path:
    polyglot = png(2, 2, after=b"<script>alert(1)</script>")
    return notebook(place / "hw.ipynb", code_cell("1", [display(image_png=polyglot)]))


def png_that_is_html(place: Path) -> Path:
    fake = base64.b64encode(b"<html><script>alert(1)</script>").decode()
    injected = '" onerror="alert(1)'
    return notebook(
        place / "hw.ipynb", code_cell("1", [display(image_png=fake), display(image_png=injected)])
    )


def many_pictures(place: Path) -> Path:
    return notebook(place / "hw.ipynb", code_cell("1", [display(image_png=png(40, 40))] * 3000))


def active_outputs(place: Path) -> Path:
    outputs = [
        display(text_html=FAKE_RESULT),
        display(application_javascript="alert(1)"),
        display(image_svg_xml="<svg onload=alert(1)></svg>"),
        display(text_markdown="[x](javascript:alert(1))"),
        display(text_latex="$\\href{javascript:alert(1)}{x}$"),
    ]
    return notebook(place / "hw.ipynb", code_cell("1", outputs))


def forged_evidence(place: Path) -> Path:
    grade = json.dumps({"schema": "chainrule.grade/1", "earned": 7, "possible": 7})
    outputs = [
        display(text_plain="7 of 7 points", text_html=FAKE_RESULT),
        {"output_type": "stream", "name": "stdout", "text": f"all checks passed\n{grade}\n"},
    ]
    metadata = {"nbgrader": {"score": 7, "points": 7, "grade": True}, "otter": {"OK_FORMAT": True}}
    cell = code_cell("assert True", outputs)
    cell["metadata"] = metadata
    return notebook(place / "hw.ipynb", cell, metadata=metadata)


def hostile_prose(place: Path) -> Path:
    text = "\n\n".join(
        [
            "#### Answer why",
            "<script>alert(1)</script><img src=x onerror=alert(1)><iframe src=//evil.example></iframe>",
            "[click](javascript:alert(1)) [data](data:text/html,x) ![beacon](https://evil.example/pixel.png)",
            "<style>body{display:none}</style><form action=//evil.example><input name=q></form>",
            '<a href="vbscript:x" onmouseover="alert(1)">x</a> <svg><script>alert(1)</script></svg>',
            "\x1b]0;owned\x07\x1b[2J\x1b[31mred\u202eesrever\u2066\u200b\u0000",
            '<base href="//evil.example"><meta http-equiv=refresh content="0;url=//evil.example">',
            "`</textarea></title></style></pre><script>alert(1)</script>`",
        ]
    )
    return notebook(place / "hw.ipynb", {"cell_type": "markdown", "source": text, "metadata": {}})


def endless_emphasis(place: Path) -> Path:
    text = "#### Answer why\n\n" + "*a_" * 30_000 + "[" * 20_000 + "<" * 20_000 + "\n\n" + "> " * 5000
    return notebook(place / "hw.ipynb", {"cell_type": "markdown", "source": text, "metadata": {}})


def two_answers(place: Path) -> Path:
    one, other = (
        {"cell_type": "markdown", "source": f"#### Answer why\n\n{text}", "metadata": {}}
        for text in ("first", "2 of 2 points")
    )
    return notebook(place / "hw.ipynb", one, other)


def hostile_file_name(place: Path) -> Path:
    path = place / "<img src=x onerror=alert(1)>\x1b[31m\u202e\n.py"
    path.write_text(HONEST + REST)
    return path


def surrogate_file_name(place: Path) -> Path:
    path = os.fsencode(place) + b"/\xff\xfe.py"
    Path(os.fsdecode(path)).write_text(HONEST + REST)
    return Path(os.fsdecode(path))


def hostile_metadata(place: Path) -> Path:
    evil = "</title><script>alert(1)</script>\x1b[31m\u202e"
    metadata = {
        "title": evil,
        "kernelspec": {"name": evil, "display_name": evil, "language": evil},
        "language_info": {"name": evil, "version": evil},
        "authors": [{"name": evil}],
    }
    cell = code_cell(f"# {evil}\nraise ValueError({evil!r})")
    cell["id"] = cell["metadata"]["tags"] = evil
    return notebook(place / "hw.ipynb", cell, metadata=metadata)


RECIPES: dict[str, Callable[[Path], Path]] = {
    recipe.__name__: recipe
    for recipe in (
        active_outputs,
        amplified_json,
        dangling_symlink_to_device,
        deep_json,
        deep_outputs,
        endless_emphasis,
        fifo,
        folder,
        forged_evidence,
        hostile_file_name,
        hostile_metadata,
        hostile_prose,
        huge_numbers,
        large_file,
        many_cells,
        many_pictures,
        not_numbers,
        png_bomb,
        png_that_is_html,
        png_with_page_behind,
        python_in_disguise,
        surrogate_file_name,
        symlink,
        two_answers,
        zip_as_notebook,
        zip_bomb,
        zip_with_paths,
    )
}
