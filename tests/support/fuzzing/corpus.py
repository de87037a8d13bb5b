"""Writes the corpus' first inputs: ``python -m tests.support.fuzzing.corpus``.

What fuzzing finds is added by hand. Small on purpose: one input for each form of a
frame, one for each way to hand something in.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import struct
import tarfile
import zipfile
import zlib
from typing import Any

import numpy as np
import pandas as pd

from grader.inside import codec
from grader.inside.media_types import EVIDENCE

from .targets import CORPUS, REQUEST

ERROR = {"kind": "ValueError", "message": "bad", "traceback": "line 1", "unsupported": ""}
VALUES: dict[str, object] = {
    "plain": [None, True, -3, 1.5, "text", float("nan"), 2**80, 1 + 2j, b"bytes"],
    "nested": {"W": [1, (2, 3)], 4: {"a": []}, (1, 2): ""},
    "array": np.arange(6.0).reshape(2, 3),
    "arrays": {"W": np.ones((2, 2), np.float32), "mask": np.array([True, False]), "c": np.ones(1, complex)},
    "scalar": np.float64(0.5),
    "empty": np.zeros((0, 3), np.int64),
    "texts": np.array([["a", "é"], ["", "long"]]),
    "times": [np.array(["2026-01-01", "NaT"], "<M8[D]"), np.timedelta64(3, "s")],
    "objects": np.array([[1, "a"], [None, 2.5]], object),
    "ranges": [range(3), range(10, 0, -2)],
    "sets": {"s": {1, (2, 3)}, "f": frozenset({1.5, 2.5})},  # text would change places from run to run
    "series": pd.Series([1, 2], index=["a", "b"], name="n"),
    "table": pd.DataFrame({"x": [1.0, 2.0], "t": ["a", "b"], "n": pd.array([1, None], "Int64")}),
    "table_of_kinds": pd.DataFrame({("a", 1): pd.Categorical(["u", "v"])}, index=pd.RangeIndex(2, 6, 2)),
    "cell_ok": {"ok": True},
    "cell_raised": {"ok": False, "kind": "NameError", "message": "name 'x'", "traceback": "Cell 1"},
}


def frame(kind: int, value: object, *, reference: codec.Reference | None = None) -> bytes:
    return b"".join(bytes(part) for part in codec.pack(kind, REQUEST, value, reference))


def handle(encoder: codec.Encoder, value: object, depth: int) -> Any:
    return {"$": "ref", "id": 3, "type": "Linear"}


def frames() -> dict[str, bytes]:
    """Answers as a sandbox sends them: some after output, some an error."""
    found = {name: frame(codec.REPLY, value) for name, value in VALUES.items()}
    found["handles"] = frame(codec.REPLY, [object(), {"layer": object()}], reference=handle)
    found["error"] = frame(codec.ERROR, ERROR)
    found["unsupported"] = frame(codec.ERROR, ERROR | {"unsupported": "a generator"})
    output = frame(codec.STREAM, ["stdout", "printed\n"]) + frame(codec.STREAM, ["stderr", "warned\n"])
    found["output"] = output + frame(codec.REPLY, None)
    found["display"] = frame(codec.DISPLAY, {"image/png": b"iVBORw0KGgo="}) + frame(codec.REPLY, 1)
    return found


def png() -> str:
    """A picture of four by four pixels, as notebooks hold it."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0))
    pixels = chunk(b"IDAT", zlib.compress((b"\0" + b"\x80" * 4) * 4))
    return base64.b64encode(b"\x89PNG\r\n\x1a\n" + head + pixels + chunk(b"IEND", b"")).decode()


CODE = "import numpy as np\nEPOCHS = 3\nwidths, name = [1], 'big'\n%matplotlib inline\nclass Linear: pass\n"
PROSE = "#### Answer 3.2.3.i\n\nBecause $B = 5$ **helps**:\n\n| a | b |\n|---|---|\n| 1 | `x` |\n"
MARKDOWN = f"""---
jupyter:
  kernelspec:
    name: python3
---

### 3.1.1 Linear layer

```python tags=["parameters"]
{CODE}```

<!-- #region -->
{PROSE}
<!-- #endregion -->

````python
record('3.3.i')
"""
RECORDING = {"item": "3.3.i", "curve": [0.5, 0.25]}


def notebooks() -> dict[str, bytes]:
    """One notebook with everything in it, its older forms, and scripts."""
    outputs = [
        {"output_type": "display_data", "data": {"image/png": png()}},
        {"data": {EVIDENCE: RECORDING}},
        {"output_type": "stream", "text": ["printed\n"]},
    ]
    cells = [
        {"cell_type": "markdown", "source": "### 3.1.1 Linear layer (1 points)"},
        {"cell_type": "code", "id": "a", "metadata": {"tags": ["parameters"]}, "source": CODE, "outputs": []},
        {"cell_type": "markdown", "source": PROSE.splitlines(keepends=True)},
        {"cell_type": "markdown", "source": "### 3.3.i Curves", "attachments": {"a": {"image/png": png()}}},
        {"cell_type": "code", "source": "record('3.3.i')", "outputs": outputs},
        {"cell_type": "markdown", "source": f"![x](data:image/png;base64,{png()})"},
        {"cell_type": "raw", "source": "raw"},
    ]
    older = [
        {"cell_type": "heading", "level": 2, "source": "3.3.i Curves"},
        {"cell_type": "code", "input": CODE, "outputs": [{"png": png()}]},
    ]
    whole = {"cells": cells, "metadata": {"kernelspec": {"language": "python"}}, "nbformat": 4}
    return {
        "whole": json.dumps(whole).encode(),
        "nbformat_3": json.dumps({"worksheets": [{"cells": older}], "nbformat": 3}).encode(),
        "utf_16": json.dumps({"cells": cells[:3]}).encode("utf-16"),
        "script": f"{CODE}\n'''{PROSE}'''\n\n@decorated\ndef f(x):\n    return x\n".encode(),
        "percent": f"# %% [markdown]\n# 3.2.3.i\n# %% tags=['parameters']\n{CODE}".encode(),
        "markdown": MARKDOWN.encode(),
        "broken_script": b"def f(:\n    pass\nx = (1,\ny = 2\nEPOCHS = 4; z = 1\n",
    }


LONG = "of_a_folder_with_a_long_name/" * 9 + "notes.txt"
LINK, DEVICE = tarfile.SYMTYPE, tarfile.CHRTYPE


def tarred(names: dict[str, bytes], *, kind: int, links: dict[str, bytes] | None = None) -> bytes:
    """A tar file of these files, and of entries of other types that lead somewhere."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w", format=kind) as archive:
        for name, content in names.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
        for name, type_ in (links or {}).items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = type_, "../../etc/passwd"
            archive.addfile(info)
    return data.getvalue().rstrip(b"\0") + bytes(1024)


def zipped(names: dict[str, bytes], *, method: int) -> bytes:
    """A zip of these files, the same in every run."""
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w", method) as archive:
        for name, content in names.items():
            archive.writestr(zipfile.ZipInfo(name), content, method)
    return data.getvalue()


def archives() -> dict[str, bytes]:
    """One of each form, with what lies beside a notebook, leads out, or is no file."""
    book = json.dumps({"cells": [{"cell_type": "code", "source": "def linear(x): return x"}]}).encode()
    files = {"hw3.ipynb": book, "layers/conv.py": b"x = 1\n"}
    odd = {**files, "../out.py": b"x", "a\\b.txt": b"y", "C:/d.txt": b"z", "é.txt": b"", LONG: b"long"}
    gnu = tarred(
        odd, kind=tarfile.GNU_FORMAT, links={"link.py": LINK, "tty": DEVICE, "hard.py": tarfile.LNKTYPE}
    )
    return {
        "zip": zipped(files, method=zipfile.ZIP_DEFLATED),
        "zip_odd": zipped(odd, method=zipfile.ZIP_STORED),
        "zip_in_zip": zipped(
            {"all.zip": zipped(files, method=zipfile.ZIP_STORED)}, method=zipfile.ZIP_STORED
        ),
        "tar_gnu": gnu,
        "tar_pax": tarred(odd, kind=tarfile.PAX_FORMAT),
        "tar_ustar": tarred(files, kind=tarfile.USTAR_FORMAT),
        "tar_gz": gzip.compress(gnu, mtime=0),
    }


def main() -> None:
    made = (("frames", frames()), ("notebooks", notebooks()), ("archives", archives()))
    for target, inputs in made:
        for name, data in inputs.items():
            (CORPUS / target / name).write_bytes(data)


if __name__ == "__main__":
    main()
