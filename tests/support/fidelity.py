"""Small notebooks in Markdown, run by a real Jupyter kernel and by the sandbox."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from grader.model.errors import CheckError
from grader.model.isolation import Mode
from grader.model.records import CellStatus
from grader.sandbox.spec import BoxSpec, ProcessLimits
from grader.sandbox.zygote import Zygote
from grader.session.sandboxed_notebook import SandboxedNotebook

from .paths import ROOT, TESTS

NOTEBOOKS = TESTS / "fidelity" / "notebooks"
PAGE = ROOT / "docs" / "what-runs-here.md"
PRELOAD = ("numpy", "matplotlib.pyplot", "torch")
LIMITS = ProcessLimits(memory_mb=4096, disk_mb=256, wall_seconds=300)
EVERY_MODE = "every mode"
# What students do not set: with it, a file's folder could not be imported from, and a kernel is another one.
OF_TESTS = ("PYTHONSAFEPATH", "PYTEST_CURRENT_TEST")
SECONDS = 60.0


@dataclass(frozen=True)
class Small:
    """A notebook of a few cells, of which the last binds ``answer``; ``topic`` is the file it is from."""

    topic: str
    title: str
    cells: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.topic}: {self.title}"


@dataclass(frozen=True)
class Came:
    """The kinds of the cells' errors in order, and the answer as ``repr`` writes it, "" if there is none."""

    errors: tuple[str, ...]
    answer: str
    said: str = field(default="", compare=False)


@dataclass(frozen=True)
class Row:
    """A documented difference: the notebooks that show it, where, and what a student reads."""

    titles: tuple[str, ...]
    where: tuple[str, ...]
    told: tuple[str, ...]

    def applies_in(self, mode: Mode) -> bool:
        return EVERY_MODE in self.where or mode in self.where


def notebooks() -> list[Small]:
    """All of them, in the order of their files."""
    return [
        Small(path.stem, title.strip(), tuple(re.findall(r"^```python\n(.*?)\n```", body, re.M | re.S)))
        for path in sorted(NOTEBOOKS.glob("*.md"))
        for title, _, body in (
            part.partition("\n")
            for part in re.split(r"^## ", path.read_text(encoding="utf-8"), flags=re.M)[1:]
        )
    ]


def documented() -> list[Row]:
    """The rows of the page's tables of differences."""
    text = PAGE.read_text(encoding="utf-8").split("\n## What is different\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \| (.+?) \|$", text, re.M)
    return [
        Row(tuple(titles.split("; ")), tuple(where.split(", ")), tuple(re.findall(r"`([^`]+)`", told)))
        for titles, where, _, told in rows
        if titles != "notebooks" and not titles.startswith("--")
    ]


def by_kernel(cells: Sequence[str]) -> Came:
    """What a real kernel makes of them. A kernel that dies gives the error "DeadKernelError"."""
    import nbformat  # noqa: PLC0415
    from nbclient import NotebookClient  # noqa: PLC0415
    from nbclient.exceptions import DeadKernelError  # noqa: PLC0415

    v4 = nbformat.v4
    sources = [*cells, "print('ANSWER' + repr(answer))"]
    notebook = v4.new_notebook(cells=[v4.new_code_cell(source) for source in sources])
    with tempfile.TemporaryDirectory() as folder, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        client = NotebookClient(
            notebook, timeout=SECONDS, allow_errors=True, resources={"metadata": {"path": folder}}
        )
        try:
            client.execute(env={name: value for name, value in os.environ.items() if name not in OF_TESTS})
        except DeadKernelError:
            return Came(("DeadKernelError",), "")
    outputs = [[*cell.get("outputs", [])] for cell in notebook.cells]
    errors = [out.ename for each in outputs[:-1] for out in each if out.output_type == "error"]
    printed = "".join(out.text for out in outputs[-1] if out.output_type == "stream")
    return Came(tuple(errors), printed.partition("ANSWER")[2].strip())


def by_sandbox(zygote: Zygote, cells: Sequence[str], mode: Mode) -> Came:
    """What a sandbox makes of them; the answer is fetched as a check would, from a copy of the state."""
    spec = BoxSpec(mode=mode, limits=LIMITS, seed=3)
    with contextlib.closing(SandboxedNotebook(zygote, spec, seconds=4 * SECONDS)) as notebook:
        runs = [notebook.run_cell(source, seconds=SECONDS) for source in cells]
        notebook.run_cell("_answer_as_text = repr(answer)", seconds=SECONDS)
        answer = ""
        with contextlib.suppress(CheckError), notebook.copy(seed=1, seconds=SECONDS) as session:
            answer = session.student["_answer_as_text"].value
    errors = [
        run.error.partition(":")[0] if run.status is CellStatus.RAISED else run.status.value
        for run in runs
        if run.status is not CellStatus.OK
    ]
    said = "\n".join(line for run in runs for line in (*run.notes, run.error))
    return Came(tuple(errors), answer, said)


def modes_for(small: Small, usual: Mode, others: Sequence[Mode]) -> Iterator[Mode]:
    """The modes to run a notebook in: the usual one, and others where it uses what they may forbid."""
    yield usual
    for mode in others:
        topics = (
            {"processes"} if mode.namespaces else {"event_loop", "files", "magics", "processes", "system"}
        )
        if small.topic in topics:
            yield mode
