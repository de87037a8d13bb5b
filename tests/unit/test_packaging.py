"""What the package promises to those who install it."""

from __future__ import annotations

import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import grader
from grader.cli.main import INSTALL, INSTRUCTORS, unforeseen
from grader.model import errors

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
LIGHT = {"click", "grader"}
"""All that `grade --help` may bring in beside the standard library."""


def tracked_files() -> list[Path]:
    """What git tracks, or would: the working tree without what is ignored."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def test_public_names_are_pinned():
    assert sorted(grader.__all__) == [
        "BadEvidence",
        "CallTimedOut",
        "CheckFailed",
        "Evidence",
        "Formulas",
        "Recording",
        "Replay",
        "SandboxDied",
        "Sketch",
        "StudentError",
        "TrainingLine",
        "Undecided",
        "UnsupportedValue",
        "__version__",
        "active_share",
        "as_array",
        "assert_beats_baseline",
        "assert_checkpoint",
        "assert_close",
        "assert_counts",
        "assert_curve_in_band",
        "assert_curve_rough",
        "assert_curves_differ",
        "assert_curves_rough",
        "assert_frame",
        "assert_labels",
        "assert_loss_falls",
        "assert_mostly",
        "assert_overfits",
        "assert_parameter_count",
        "assert_raises",
        "assert_repeatable",
        "assert_replay_agrees",
        "assert_same_draws",
        "assert_same_set",
        "assert_series",
        "assert_stop_epoch",
        "assert_text",
        "award",
        "centred_scores",
        "check",
        "check_gradients",
        "clock",
        "computed_once",
        "copied_share",
        "is_proxy",
        "item",
        "keep_seeds",
        "likeness",
        "log_size",
        "neuron_clock",
        "neuron_products",
        "points",
        "read_checkpoint",
        "read_record",
        "roughness",
        "sampling_surprise",
        "seconds",
        "sketch",
        "student_seed",
        "unpack_weights",
        "without_common",
    ]


@pytest.mark.parametrize("name", grader.__all__)
def test_every_public_name_exists_and_is_listed(name):
    assert getattr(grader, name) is not None
    assert name in dir(grader)


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no attribute 'assert_clos'"):
        grader.assert_clos  # noqa: B018  # the access is what is tested


def test_the_version_is_stated_once():
    """The build reads it from the package; the installed metadata say the same."""
    assert "version" not in PROJECT["project"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "grader/model/version.py"
    assert grader.__version__ == importlib.metadata.version("chainrule")


@pytest.mark.parametrize("arguments", [["--help"], ["--version"], ["-h"]])
def test_help_imports_next_to_nothing(arguments):
    """`grade --help` loads click and the command line, so it answers at once on any machine."""
    program = (
        "import sys; before = set(sys.modules)\n"
        "from grader.cli.main import main\n"
        "import contextlib, io, json\n"
        "with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        f"    main({arguments!r})\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in json.loads(done.stdout)}
    assert loaded - set(sys.stdlib_module_names) <= LIGHT


def test_importing_the_package_imports_nothing():
    program = "import sys, grader; print([name for name in sys.modules if name.startswith('grader.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_every_error_is_drawn_in_the_tree():
    """The tree in the docstring of grader.model.errors has each class, below its base."""
    tree = inspect.getdoc(errors) or ""
    drawn = re.findall(r"^(?P<indent>[ │├└─]*)(?P<name>[A-Z]\w+)", tree.split("\n\n")[2], re.MULTILINE)
    above: list[tuple[int, str]] = []
    bases = {}
    for indent, name in drawn:
        above = [(depth, other) for depth, other in above if depth < len(indent)]
        bases[name] = above[-1][1] if above else None
        above.append((len(indent), name))

    classes = {
        name: kind
        for name, kind in vars(errors).items()
        if inspect.isclass(kind) and issubclass(kind, Exception)
    }
    assert set(bases) == set(classes)
    for name, base in bases.items():
        assert base is None or classes[name].__bases__[0] is classes[base], name


def test_every_runtime_dependency_is_imported_somewhere():
    """A dependency that nothing uses makes everybody's install larger."""
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("grader", "reference")
        for path in (ROOT / folder).rglob("*.py")
    )
    modules = {
        "markdown-it-py": "markdown_it",
        "matplotlib-inline": "matplotlib_inline",
        "ipython": "IPython",
    }
    for requirement in PROJECT["project"]["dependencies"]:
        name = re.split(r"[<>=!~\[; ]", requirement)[0]
        module = modules.get(name, name)
        assert re.search(rf"^\s*(?:import|from) {module}\b", sources, re.MULTILINE), requirement


def test_everything_named_is_pinned():
    """constraints.txt has the runtime, test and lint dependencies, each once, with an exact version."""
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if line and not line.startswith("#")]
    pinned = [re.fullmatch(r"([\w.-]+)==[\w.]+", line)[1] for line in lines]
    groups = PROJECT["dependency-groups"].values()
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = {
        re.split(r"[<>=]", requirement)[0]
        for requirements in (PROJECT["project"]["dependencies"], *groups, *extras)
        for requirement in requirements
        # A table includes another group, and an extra may include another.
        if isinstance(requirement, str) and not requirement.startswith("chainrule[")
    }
    assert len(pinned) == len(set(pinned))
    assert set(pinned) == wanted


def test_a_command_of_instructors_says_what_to_install():
    """A student's install leaves the extra out; every other extra brings it along."""
    extras = PROJECT["project"]["optional-dependencies"]
    assert {re.split(r"[<>=]", one)[0] for one in extras["instructor"]} == INSTRUCTORS
    for name in ("dask", "feedback", "postgres", "review"):
        assert "chainrule[instructor]" in extras[name]
    said = unforeseen(ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy"))
    assert said == "this needs sqlalchemy, which a student's install leaves out: " + INSTALL
    assert "a defect" in unforeseen(ModuleNotFoundError("No module named 'x'", name="x"))


def test_files_that_are_not_code_are_installed():
    """The page's template and style and the marker for type checkers lie beside the installed code."""
    package = Path(inspect.getfile(grader)).parent
    expected = {
        path.relative_to(ROOT / "grader")
        for path in tracked_files()
        if (ROOT / "grader") in path.parents and path.suffix != ".py"
    }
    assert {Path("py.typed"), Path("reports/report.css"), Path("reports/report.html.j2")} <= expected
    assert [name for name in expected if not (package / name).is_file()] == []


def test_no_file_names_a_place_on_somebodys_machine():
    """Folders of one machine and addresses of package mirrors have no business in a repository."""
    places = re.compile(rb"/work/(?:main|shared)|/root/\.?(?!ssh)\w+|/tmp/w/|extra-index-url|find-links")
    found = [
        f"{path.relative_to(ROOT)}: {hit[0].decode()}"
        for path in tracked_files()
        if path.resolve() != Path(__file__).resolve()
        and path.suffix not in {".npz", ".png"}
        and "examples" not in path.relative_to(ROOT).parts  # hostile ones try such places, also their makers
        for hit in places.finditer(path.read_bytes())
    ]
    assert found == []


def test_what_tests_share_is_in_their_support_package():
    """No search path is patched, no test imports another, and benchmarks import only the support package.

    Else a working tree's ``grader`` could be tested instead of the installed one.
    """
    rules = {
        "tests": r"sys\.path\.\w+\(|syspath_prepend\((?!tmp_path)|^\s*(?:from|import) (?:tests\.|test_)",
        "benchmarks": r"sys\.path\.\w+\(|^\s*(?:from|import) tests(?!\.support)",
    }
    found = [
        f"{path.relative_to(ROOT)}: {hit[0].strip()}"
        for path in tracked_files()
        if path.suffix == ".py" and (rule := rules.get(path.relative_to(ROOT).parts[0]))
        if path.name not in {"attack.py", "heir.py", Path(__file__).name}  # attacks are data
        for hit in re.finditer(rule, path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert found == []


def test_authors_import_from_grader_itself():
    """In checks, in the reference, in examples and on pages: a deep import ties them to our inside."""
    deep = re.compile(
        r"^\s*(?:from grader\.\w|import grader\.\w|from grader import (?:model|checks|grading)\b)",
        re.MULTILINE,
    )
    folders = ("hidden_tests", "reference", "student_template", "examples", "docs")
    own = {
        "docs/images/make.py",
        "docs/images/tutorials.py",
        "docs/conf.py",
    }  # they draw our reports, and make a site
    found = [
        str(path.relative_to(ROOT))
        for path in tracked_files()
        if path.relative_to(ROOT).parts[0] in folders and path.suffix in {".py", ".md", ".ipynb"}
        if str(path.relative_to(ROOT)) not in own
        if deep.search(path.read_text(encoding="utf-8", errors="replace"))
    ]
    assert found == []
