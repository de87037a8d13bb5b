"""What the grading machine lacks: its Python, its packages, a GPU. None of it is ever charged to a student.

Everything is read from errors that the student's process reports, which may be forged: that can leave an item
to a person, and never earns a point.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from grader.grading.outcomes import put_down_to_the_machine
from grader.host import is_installed
from grader.model.assignment import EnvironmentRules
from grader.model.errors import Fault, Outcome
from grader.model.records import CellResult, CheckResult
from grader.notebooks.submission_file import SubmissionFile
from grader.notebooks.submission_files import SubmissionFiles

_NO_MODULE = re.compile(
    r"(?:ModuleNotFound|Import)Error: No module named '([A-Za-z_]\w{0,80}(?:\.\w{1,80}){0,9})'"
)
_NO_NAME = re.compile(
    r"(?:Import|Attribute)Error: (?:cannot import name '(?P<name>\w{1,80})' from '(?P<module>[\w.]{1,200})'"
    r"|module '(?P<owner>[\w.]{1,200})' has no attribute '(?P<attribute>\w{1,80})')"
)
_REMOVED = re.compile(
    r"(?:Import|Attribute)Error: [\s\S]{0,300}?"
    r"(?:was removed|were removed|has been removed|have been removed|was a deprecated alias|expired)"
)
_NO_GPU = re.compile(
    r"not compiled with CUDA|Found no NVIDIA driver|No CUDA GPUs are available|CUDA device but torch\.cuda"
    r"|No CUDA runtime is found|Unknown backend:? '?(?:cuda|gpu)|no CUDA-capable device"
    r"|compiled without CUDA|requires CUDA support|Cannot get CUDA generator|Cannot access accelerator device"
    r"|instantiate dummy base class (?:Event|Stream|CUDAGraph)"
)
_NOT_STARTED = re.compile(r"CalledProcessError: [\s\S]{0,2000}? returned non-zero exit status 126\.")
# Programs that notebooks start and that a student cannot hand in. Any other name may be a file of theirs.
_NO_PROGRAM = re.compile(
    r"(?:FileNotFoundError: \[Errno 2\] No such file or directory:|failed to execute) (?:PosixPath\()?'"
    r"(7z|convert|curl|dot|ffmpeg|ffprobe|gcc|g\+\+|git|java|latex|make|node|nvcc|nvidia-smi|pandoc|pdflatex"
    r"|Rscript|tar|unzip|wget|xelatex|zip)'"
)
# Both are rare in Jupyter: EPERM is a call that the sandbox refuses, EROFS is about what it only shows.
_PROGRAM_FORBIDDEN = re.compile(r" \(Operation not permitted\)$")
_FORBIDDEN = re.compile(r"[A-Z]\w{0,80}: \[Errno (?:1|30)\] (Operation not permitted|Read-only file system)")
# Names that libraries had for years and no longer have, where the error itself does not say so.
_FORMER = {
    "collections": {"Callable", "Iterable", "Mapping", "MutableMapping", "Sequence"},
    "numpy": {"bool", "complex", "float", "int", "long", "object", "str", "unicode"}
    | {"alltrue", "cumproduct", "in1d", "product", "row_stack", "sometrue", "trapz"},
    "matplotlib.cm": {"get_cmap", "register_cmap"},
    "pandas": {"Int64Index", "Panel", "datetime", "np"},
    "scipy.integrate": {"cumtrapz", "simps", "trapz"},
    "torch": {"eig", "lstsq", "lu_solve", "qr", "solve", "symeig"},
}


@dataclass(frozen=True)
class Machine:
    """What a submission could not have here.

    ``rules`` are the assignment's, ``own`` the names of the modules that the submission brings along.
    """

    rules: EnvironmentRules
    own: frozenset[str] = frozenset()

    def lacks(self, error: str) -> str:
        """What an error says that the machine lacks, in one line; "" if it is about something else."""
        if why := _refused(error):
            return why
        if found := _NO_MODULE.search(error):
            return self._lacks_module(found[1])
        if found := _NO_NAME.search(error):
            module = found["module"] or found["owner"]
            name = found["name"] or found["attribute"]
            imported = found["module"] is not None
            former = name in _FORMER.get(module, ()) or _REMOVED.search(error) is not None
            return f"the installed {_versioned(module)} has no `{name}`" * (
                self._is_library(module) and (imported or former)
            )
        return "a library here no longer has what is asked for" if _REMOVED.search(error) else ""

    def lacks_python(self, file: SubmissionFile, cell: CellResult) -> str:
        """Whether a cell is written for a newer Python than the one that runs it."""
        saved = tuple(map(int, file.python.split("."))) if file.python else ()
        if not saved > sys.version_info[:2] or not cell.error.startswith(("SyntaxError", "IndentationError")):
            return ""
        here = f"{sys.version_info[0]}.{sys.version_info[1]}"
        return (
            f"the notebook was saved with Python {file.python} and is run by {here}, which cannot read cell "
            f"{cell.cell}"
        )

    def reasons(self, file: SubmissionFile, cells: Iterable[CellResult]) -> tuple[str, ...]:
        """What the cells of a file could not have, each once."""
        found = (
            self.lacks(cell.error) or self.lacks_python(file, cell) or _not_started(cell) for cell in cells
        )
        return tuple(dict.fromkeys(filter(None, found)))

    def judged(
        self, results: Sequence[CheckResult], ran: Iterable[tuple[SubmissionFile, Iterable[CellResult]]]
    ) -> tuple[list[CheckResult], list[str]]:
        """The results, with what failed through the machine put down to it, and what the machine lacks.

        Where a cell failed through it, whatever fails after it may have failed for that.
        """
        reasons = [f"{file.name}: {reason}" for file, cells in ran for reason in self.reasons(file, cells)]
        judged = [self._excused(result, reasons) for result in results]
        return judged, reasons if judged != list(results) else []

    def _excused(self, result: CheckResult, reasons: Sequence[str]) -> CheckResult:
        if result.outcome is Outcome.PASSED or result.fault is not Fault.STUDENT:
            return result
        why = "; ".join(reasons) or self.lacks(result.detail)
        if not why:
            return result
        return put_down_to_the_machine(result, why)

    def _lacks_module(self, name: str) -> str:
        top = name.partition(".")[0]
        if top in self.own:
            return ""
        if self._is_library(top):
            return f"the installed {_versioned(top)} has no `{name}`" if name != top else ""
        return f"`{top}`, which students may use, is not installed" if top in self.rules.packages else ""

    def _is_library(self, module: str) -> bool:
        top = module.partition(".")[0]
        return top not in self.own and is_installed(top)


def _refused(error: str) -> str:
    """What the machine or the sandbox does not let anybody do."""
    if _NO_GPU.search(error):
        return "the grading machine has no GPU (CUDA)"
    if "failed to map segment from shared object" in error:
        return "what a notebook compiles cannot be loaded on the grading machine"
    if _NOT_STARTED.match(error):
        return "what a notebook writes or compiles cannot be started on the grading machine"
    if found := _NO_PROGRAM.search(error):
        return f"the grading machine has no program `{found[1]}`"
    if found := _FORBIDDEN.match(error):
        return f"the grading machine forbids this ({found[1]})"
    return ""


def _not_started(cell: CellResult) -> str:
    """Whether a program that a cell needs could not be started: shell lines raise nothing."""
    forbidden = next((note for note in cell.notes if _PROGRAM_FORBIDDEN.search(note)), "")
    return f"the grading machine starts no programs: {forbidden[:100]}" if forbidden else ""


def own_modules(submission: SubmissionFiles, given: Collection[str]) -> frozenset[str]:
    """The names that the files around a notebook can be imported by."""
    return frozenset(place.partition("/")[0].removesuffix(".py") for place in (*submission.files, *given))


def _versioned(module: str) -> str:
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415  # only for this message

    top = module.partition(".")[0]
    try:
        return f"{module} ({version(top)})"
    except PackageNotFoundError:
        return f"{module}"
