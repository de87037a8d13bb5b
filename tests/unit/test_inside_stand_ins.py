"""What notebooks use and a sandbox lacks has a stand-in, costs nothing, and each cell does what it should."""

from __future__ import annotations

import contextlib
import importlib.machinery
import sys
from collections.abc import Iterator

import numpy as np
import pytest
from support.measured import start_zygote
from support.sandboxed import checked, sandboxed

from grader.inside import stand_ins
from grader.inside.stand_ins import Anything, PlainBar, StandInFinder
from grader.model.records import CellStatus
from grader.session.sandboxed_notebook import SandboxedNotebook

pytestmark = pytest.mark.sandbox

# A stand-in is used for what is missing, and the tests' own environment has some of it: stand-ins come first.
NOTHING_INSTALLED = """
import sys
sys.meta_path.sort(key=lambda finder: type(finder).__name__ != "StandInFinder")
del sys
"""

linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the sandbox is Linux's")


@pytest.fixture(scope="module")
def notebook() -> Iterator[SandboxedNotebook]:
    with start_zygote("numpy", "matplotlib.pyplot") as zygote, sandboxed(zygote, NOTHING_INSTALLED) as opened:
        yield opened


def after(notebook: SandboxedNotebook, source: str, name: str) -> object:
    """The value of a name after a cell, which must have ended well."""
    run = notebook.run_cell(source, seconds=20)
    assert run.status is CellStatus.OK, (run.error, run.traceback)
    with checked(notebook) as student:
        return student[name].value


@linux_only
@pytest.mark.parametrize(
    "source",
    [
        "!pip install torch",
        "!wget -q https://example.org/data.zip && unzip data.zip",
        "%pip install -q tqdm",
        "%conda install numpy",
        "files = !ls -la",
        "files = %sx ls",
        "!!ls",
        "%%bash\nls",
        "%%sh\nls",
        "%%shell\nls",
        "%%html\n<b>x</b>",
        "%%javascript\nalert(1)",
        "get_ipython().system('ls')",
        "get_ipython().getoutput('ls')",
        "%load_ext autoreload\n%autoreload 2",
        "%load_ext tensorboard\n%tensorboard --logdir runs",
        "%tensorflow_version 2.x",
        "%cd /content/drive/MyDrive",
        "%matplotlib inline",
        "%matplotlib notebook",
        "%matplotlib widget",
        "%matplotlib",
        "%config InlineBackend.figure_format = 'retina'",
        "%env SEED=1",
        "%timeit -n 1 -r 1 sum(range(10))",
        "exit()",
        "quit()",
        "exit",
        "from google.colab import drive\ndrive.mount('/content/drive', force_remount=True)",
        "from google.colab import files\nfor name in files.upload().keys(): print(name)\nfiles.download('x')",
        "import google.colab.output as o\no.enable_custom_widget_manager()",
        "from google.colab.patches import cv2_imshow\ncv2_imshow(None)",
        "import ipywidgets as widgets\nfrom ipywidgets import interact, IntSlider\n"
        "def f(x): pass\ninteract(f, x=IntSlider(min=0, max=3))\nwidgets.VBox([widgets.Output()])",
        "from ipywidgets import interact\n@interact(x=(0, 3))\ndef f(x): raise ValueError",
        "from ipywidgets import *",
        "out = __import__('ipywidgets').Output()\nwith out: pass",
        "from grader import check\ncheck('3.1.1')",
        "import grader; grader.check()",
        "import matplotlib.pyplot as plt\nplt.plot([1]); plt.show()",
        "import warnings, sys\nwarnings.warn('x'); print('x', file=sys.stderr)",
        "import os\nif os.fork() == 0: raise SystemExit",
        "import logging\nlogging.basicConfig(); logging.warning('x')",
        "%%capture kept\nprint(1)",
        "print('x' * 10_000_000)",
        "'é' * 10_000_000",
        "import numpy as np\nnp.zeros(10_000_000)",
        "data = '" + "x" * 2_000_000 + "'",
        "# \ud800 half a pair",
    ],
    ids=lambda source: source[:40].encode("ascii", "replace").decode(),
)
def test_a_habit_costs_nothing(notebook, source):
    assert after(notebook, f"{source}\n", "__name__") == "__main__"


@linux_only
@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x = !echo a\nx = (len(x), x.n)", (1, "a")),
        ("x = input('Your name? ')", ""),
        ("x = input() or 'anonymous'", "anonymous"),
        ("x = 1\nexit()\nx = 2", 2),
        ("import asyncio\nawait asyncio.sleep(0)\nx = 'awaited'", "awaited"),
        ("%time x = 5", 5),
        ("%%time\nx = 6", 6),
        ("%%capture kept\nprint('hidden')\nx = 7", 7),
        ("from tqdm import tqdm\nx = [i for i in tqdm(range(3), desc='epoch')]", [0, 1, 2]),
        ("from tqdm.auto import tqdm, trange\nx = list(trange(2, 4, leave=False))", [2, 3]),
        ("from tqdm.notebook import tqdm\nx = list(tqdm(iterable=[1, 2]))", [1, 2]),
        ("import tqdm\nx = [i for i, _ in enumerate(tqdm.tqdm('ab'))]", [0, 1]),
        (
            "from tqdm import tqdm\nwith tqdm(total=4) as bar:\n    for i in range(4):\n"
            "        bar.update(1); bar.set_description('a'); bar.set_postfix(a=1)\nx = (bar.n, bar.total)",
            (4, 4),
        ),
        ("bar = tqdm(range(3))\nfor i in bar: bar.set_postfix({'loss': i})\nx = len(bar)\nbar.close()", 3),
        (
            "from tqdm.contrib import tzip, tenumerate\nx = list(tzip([1], [2])) + list(tenumerate('a'))",
            [(1, 2), (0, "a")],
        ),
        ("@__import__('ipywidgets').interact\ndef f(n=1): return n\nx = f(3)", 3),
        ("import sys\nx = 'tqdm' in sys.modules and isinstance(sys.stdout.encoding, str)", True),
        ("import os\nx = os.fork()\nif x == 0: print('x' * 10**6); x = 0\nelse: os.waitpid(x, 0); x = 9", 9),
    ],
    ids=lambda source: str(source)[:40],
)
def test_a_habit_does_what_it_should(notebook, source, expected):
    assert after(notebook, source, "x") == expected


@linux_only
def test_a_file_that_a_cell_wrote_can_be_imported(notebook):
    assert after(notebook, "%%writefile helper.py\nvalue = 8", "__name__") == "__main__"
    assert after(notebook, "import helper\nx = helper.value", "x") == 8


@linux_only
def test_a_cell_says_what_was_not_done(notebook):
    """The texts of a cell are kept by its session; a check's copy shows the same stand-ins at work."""
    notebook.run_cell(
        "def shell():\n    get_ipython().system('pip list'); input('Name: '); input(); exit(); exit()",
        seconds=20,
    )
    with checked(notebook) as student:
        student.shell()
        assert student.printed() == (
            "not done while grading: !pip list\n"
            "Name: \nnot done while grading: waiting for input, answered with an empty line\n\n"
            "not done while grading: exit()\n"
        )


@linux_only
@pytest.mark.parametrize(
    ("source", "answer"),
    [
        ("x = get_ipython().kernel.do_shutdown(True)", {"status": "ok", "restart": True}),
        (
            "x = __import__('IPython').Application.instance().kernel.do_shutdown(restart=False)",
            {"status": "ok", "restart": False},
        ),
    ],
)
def test_a_kernel_that_is_restarted_goes_on(notebook, source, answer):
    """In Jupyter the names would be gone: nothing after such a cell would run."""
    assert after(notebook, "kept = 3", "kept") == 3
    run = notebook.run_cell(source, seconds=20)
    assert (run.status, run.notes) == (
        CellStatus.OK,
        ("restarting the kernel" if answer["restart"] else "shutting the kernel down",),
    )
    assert after(notebook, "kept += 1", "kept") == 4
    assert after(notebook, "", "x") == answer


@linux_only
def test_a_connection_file_is_a_name_that_notebooks_look_for(notebook):
    source = "import ipykernel, re\nfrom ipykernel import connect\npath = connect.get_connection_file()\n"
    source += "x = [path == ipykernel.get_connection_file(), bool(re.search(r'kernel-(.*)\\.json', path))]"
    assert after(notebook, source, "x") == [True, True]


@linux_only
def test_tqdm_draws_its_bars_where_only_it_is_installed():
    """With a real tqdm, whose bars for notebooks are widgets, and no ipywidgets."""
    missing = """
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] == "ipywidgets":
            return next(one for one in sys.meta_path if type(one).__name__ == "StandInFinder").find_spec(name)
sys.meta_path.insert(0, Missing())
"""
    with start_zygote("numpy") as zygote, sandboxed(zygote, missing) as notebook:
        for module in ("tqdm.notebook", "tqdm.auto", "tqdm.autonotebook", "tqdm"):
            source = f"from {module} import tqdm\nx = [i for i in tqdm(range(3), desc='x')]"
            assert after(notebook, source, "x") == [0, 1, 2]
        source = "with tqdm(total=4, leave=False) as bar: bar.update(3); bar.set_postfix(a=1)\nx = bar.n"
        assert after(notebook, f"from tqdm.notebook import tqdm\n{source}", "x") == 3
        source = "import ipywidgets as w\nclass Box(w.VBox): pass\nx = Box([], inner=w.IntSlider(value=4))"
        assert after(notebook, f"{source}\nx = x.inner.value", "x") == 4


@linux_only
@pytest.mark.parametrize(
    "source",
    [
        "%load_ext watermark_of_nobody\n%watermark_of_nobody -v -p numpy\nx = 1",
        "%load_ext memory_profiler\n%memit sum(range(3))\nx = 1",
        "%reload_ext line_profiler\n%lprun -f max max(1, 2)\nx = 1",
        "%load_ext tensorboard\n%tensorboard --logdir runs\nx = 1",
    ],
)
def test_the_rest_of_a_cell_runs_where_an_extension_is_missing(notebook, source):
    assert after(notebook, source, "x") == 1


@linux_only
def test_an_extension_that_fails_fails(notebook):
    source = "%%writefile failing_extension.py\nimport nobody_has_this"
    assert after(notebook, source, "__name__") == "__main__"
    run = notebook.run_cell("%load_ext failing_extension", seconds=20)
    assert (run.status, "nobody_has_this" in run.error) == (CellStatus.RAISED, True)


@linux_only
def test_asking_for_ever_ends(notebook):
    source = """
def number():
    while True:
        try:
            return int(input())
        except ValueError:
            pass
number()
"""
    run = notebook.run_cell(source, seconds=50)
    assert run.error == "EOFError: asked for input more than 100 times: nobody is there to answer"
    assert after(notebook, "x = input()", "x") == ""


@linux_only
def test_figures_are_drawn_once_for_each_cell_where_they_are_wanted():
    with start_zygote("numpy", "matplotlib.pyplot") as zygote, sandboxed(zygote, figures=True) as notebook:
        run = notebook.run_cell("import matplotlib.pyplot as plt\nplt.plot([1, 2])\nprint('x')", seconds=20)
        assert run.status is CellStatus.OK
        assert [picture[:11] for picture in run.pictures] == ["iVBORw0KGgo"]
        assert notebook.run_cell("plt.show()", seconds=20).pictures == ()
        awaits = "import asyncio\nplt.plot([1, 2])\nawait asyncio.sleep(0)"
        assert len(notebook.run_cell(awaits, seconds=20).pictures) == 1  # as in a kernel


# -- the stand-ins themselves ------------------------------------------------------------------------------


@pytest.fixture
def stood_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The finder on sys.meta_path, and no trace of it afterwards."""
    before = set(sys.modules)
    monkeypatch.setattr(sys, "meta_path", [*sys.meta_path, StandInFinder()])
    yield
    for name in set(sys.modules) - before:
        del sys.modules[name]


def test_an_installed_module_is_used_as_it_is(stood_in, tmp_path, monkeypatch):
    for name in [name for name in sys.modules if name.partition(".")[0] == "tqdm"]:
        monkeypatch.delitem(sys.modules, name)
    (tmp_path / "tqdm.py").write_text("mine = 1")
    monkeypatch.syspath_prepend(tmp_path)
    import tqdm  # noqa: PLC0415

    assert tqdm.mine == 1


@pytest.mark.parametrize("name", ["tqdmx", "googlemaps", "google.cloud", "ipywidgetsx", "os.nothing"])
def test_nothing_else_is_stood_in_for(stood_in, name):
    with pytest.raises(ImportError):
        __import__(name)


def test_a_google_package_that_is_installed_still_lacks_colab_only(stood_in, tmp_path, monkeypatch):
    (tmp_path / "google").mkdir()
    (tmp_path / "google" / "__init__.py").write_text("here = True")
    monkeypatch.syspath_prepend(tmp_path)
    import google  # noqa: PLC0415
    from google.colab import drive  # noqa: PLC0415

    assert google.here
    drive.mount("/content")


def test_anything_is_harmless_and_empty():
    anything = Anything()
    assert list(anything.some.thing(1)["key"]) == []
    assert len(anything) == 0
    assert not anything
    with anything as inner:
        assert inner is anything
    assert anything(len) is len
    assert anything(value=3, config={"lr": 1}).value == 3
    assert not anything(value=3, config={"lr": 1}).config.lr
    with pytest.raises(AttributeError):
        anything.__array__  # noqa: B018  # numpy must not take it for an array
    with contextlib.suppress(TypeError):
        assert np.asarray(anything).shape in ((), (0,))


def test_a_plain_bar_without_a_length_says_so_as_tqdm_does():
    assert list(PlainBar(iter("ab"))) == ["a", "b"]
    with pytest.raises(TypeError):
        len(PlainBar(iter("ab")))
    assert list(PlainBar()) == []


def test_the_finder_is_installed_once(monkeypatch):
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    stand_ins.install_finder()
    stand_ins.install_finder()
    assert sum(isinstance(finder, StandInFinder) for finder in sys.meta_path) == 1


def test_the_finder_leaves_a_spec_that_python_can_show():
    spec = StandInFinder().find_spec("tqdm.auto")
    assert isinstance(spec, importlib.machinery.ModuleSpec)
