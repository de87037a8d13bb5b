"""What is changed for a whole process beside student code: figures, GPUs, threads, people's answers."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest
from support.own_python import result_of

from grader.inside.nobody_there import MOST_ANSWERS, Answers
from grader.inside.notes import Notes

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="needs torch")
linux_only = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="needs /proc and fork")

SHELL = """
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
shell.enable_gui = lambda gui=None: None
from grader.inside.notes import NOTES
"""

# -- figures -----------------------------------------------------------------------------------------------


PLOTS = f"""
import matplotlib
import matplotlib.pyplot as plt
{SHELL}
from grader.inside import plots
plots.install(shell)
"""


@pytest.mark.parametrize(
    ("asks", "noted"),
    [
        ("matplotlib.use('TkAgg')", ["a window of TkAgg; figures are drawn inline"]),
        ("plt.switch_backend('QtAgg')", ["a window of QtAgg; figures are drawn inline"]),
        ("shell.run_line_magic('matplotlib', 'widget')", []),
        ("shell.run_line_magic('matplotlib', 'notebook')", []),
        ("shell.run_line_magic('matplotlib', 'inline')", []),
    ],
)
def test_every_window_becomes_a_drawing_inline(asks: str, noted: list[str], tmp_path: Path) -> None:
    backend, notes = result_of(
        f"{PLOTS}\n{asks}\nresult = [matplotlib.get_backend().lower(), NOTES.kept]", tmp_path
    )
    assert "inline" in backend
    assert notes == noted


@pytest.mark.parametrize("backend", ["agg", "Agg", "svg", "pdf", "ps", "template"])
def test_what_draws_to_memory_or_a_file_is_taken(backend: str, tmp_path: Path) -> None:
    found = result_of(
        f"{PLOTS}\nmatplotlib.use({backend!r})\nresult = [matplotlib.get_backend().lower(), NOTES.kept]",
        tmp_path,
    )
    assert found == [backend.lower(), []]


def test_labels_for_latex_are_set_without_it(tmp_path: Path) -> None:
    """Else a figure with `usetex` raises, since there is no LaTeX: the control is that it is asked for."""
    source = f"""{PLOTS}
matplotlib.use("agg")
plt.rcParams["text.usetex"] = True
figure, axes = plt.subplots()
label = axes.set_title(r"$\\alpha$")
figure.savefig("figure.png")
import pathlib
result = [pathlib.Path("figure.png").stat().st_size > 1000, label.get_usetex(), NOTES.kept]
"""
    assert result_of(source, tmp_path) == [
        True,
        False,
        ["LaTeX: labels are set by matplotlib's own mathematics"],
    ]


def test_without_matplotlib_nothing_is_imported_and_the_backend_is_set(tmp_path: Path) -> None:
    source = f"""
import os, sys
os.environ.pop("MPLBACKEND", None)
{SHELL}
from grader.inside import plots
plots.install(shell)
result = ["matplotlib.pyplot" in sys.modules, os.environ["MPLBACKEND"]]
"""
    assert result_of(source, tmp_path) == [False, "module://matplotlib_inline.backend_inline"]


# -- GPUs --------------------------------------------------------------------------------------------------


DEVICES = """
import torch
from grader.inside import devices
from grader.inside.notes import NOTES
done = devices.install_calls()
"""
ON_PROCESSOR = f"{DEVICES}\ndone = devices.install_devices() and done\n"


MADE_THERE = (
    "torch.ones(3).cuda()",
    "torch.Generator(device='cuda')",
    "torch.ones(3).to('cuda')",
    "torch.ones(3).to('cuda:0')",
    "torch.ones(3).to(torch.device('cuda'))",
    "torch.ones(3).to('cuda', torch.float64)",
    "torch.ones(3, device='cuda')",
    "torch.ones(3, device=torch.device('cuda', 0))",
    "torch.nn.Linear(3, 1, device='cuda').weight.detach()",
    "torch.nn.Linear(3, 1).cuda().weight.detach()",
    "torch.tensor([1.0, 2.0], device='cuda').pin_memory()",
)


@needs_torch
def test_a_gpu_that_is_asked_for_is_the_processor(tmp_path: Path) -> None:
    """And said once."""
    source = f"""{ON_PROCESSOR}
where = [eval(made).device.type for made in {MADE_THERE!r}]
result = [done, where, NOTES.kept]
"""
    where = ["cpu"] * len(MADE_THERE)
    assert result_of(source, tmp_path) == [True, where, ["a GPU (cuda): it runs on the processor"]]


@needs_torch
def test_the_gpu_of_the_control_is_not_there(tmp_path: Path) -> None:
    source = """
import torch
try:
    torch.ones(3).to("cuda")
except (AssertionError, RuntimeError) as error:
    result = "raised"
"""
    assert result_of(source, tmp_path) == "raised"


@needs_torch
def test_what_asks_for_no_gpu_is_left_alone(tmp_path: Path) -> None:
    """Values, types and texts that only look like one."""
    source = f"""{ON_PROCESSOR}
made = torch.arange(4.0, dtype=torch.float64).reshape(2, 2) @ torch.eye(2, dtype=torch.float64)
text = "{{}} {{:.1f}}".format("cuda", torch.tensor(2.0))
result = [made.tolist(), str(made.dtype), text, NOTES.kept]
"""
    assert result_of(source, tmp_path) == [[[0.0, 1.0], [2.0, 3.0]], "torch.float64", "cuda 2.0", []]


@needs_torch
def test_calls_about_a_gpu_are_answered(tmp_path: Path) -> None:
    source = f"""{DEVICES}
torch.cuda.synchronize(); torch.cuda.empty_cache(); torch.cuda.set_device(0)
torch.set_default_device("cuda")
first = torch.ones(2).device.type
torch.set_default_tensor_type("torch.cuda.FloatTensor")
torch.save({{"w": torch.ones(2)}}, "w.pt")
loaded = torch.load("w.pt", map_location="cuda:0")["w"].device.type
about = [torch.cuda.current_device(), torch.cuda.get_device_name(0)]
result = [first, torch.ones(2).device.type, loaded, *about]
"""
    assert result_of(source, tmp_path) == ["cpu", "cpu", "cpu", 0, "none (grading runs on the processor)"]


def test_without_torch_there_is_nothing_to_do_and_it_is_not_imported(tmp_path: Path) -> None:
    source = """
import sys
from grader.inside import devices
result = [devices.install_calls(), devices.install_devices(), "torch" in sys.modules]
"""
    assert result_of(source, tmp_path) == [False, False, False]


# -- threads -----------------------------------------------------------------------------------------------


POOLS = """
import os
for library in ("OMP", "OPENBLAS", "MKL"):  # as in the warm process
    os.environ[f"{library}_NUM_THREADS"] = "1"
from grader.inside.threads import ThreadPools
def count():
    return len(os.listdir("/proc/self/task"))
pools = ThreadPools()
"""


@linux_only
def test_numbas_threads_prevent_copies_even_when_they_are_gone(tmp_path: Path) -> None:
    source = f"""{POOLS}
import sys, types
def threading_layer():
    if not ran:
        raise ValueError("Threading layer is not initialized.")
    return "omp"
sys.modules["numba"] = types.SimpleNamespace(threading_layer=threading_layer)
ran = False
before = pools.settle()
ran = True
result = [before, pools.settle()]
"""
    assert result_of(source, tmp_path) == [True, False]


@linux_only
def test_a_process_with_one_thread_is_settled(tmp_path: Path) -> None:
    assert result_of(f"{POOLS}\nresult = [pools.settle(), count()]", tmp_path) == [True, 1]


@linux_only
def test_a_thread_of_the_students_own_stays_and_is_seen(tmp_path: Path) -> None:
    source = f"""{POOLS}
import threading
stop = threading.Event()
threading.Thread(target=stop.wait, daemon=True).start()
while_it_runs = pools.settle()
stop.set()
result = [while_it_runs, pools.settle()]
"""
    assert result_of(source, tmp_path) == [False, True]


@linux_only
@needs_torch
def test_pools_of_torch_end_and_grow_again_in_a_copy(tmp_path: Path) -> None:
    """A copy can use them: the control of that is the number of threads before."""
    source = f"""{POOLS}
import torch
torch.set_num_threads(1)  # as in the warm process: torch's own pool keeps the size that it has first
torch.set_num_threads(3)
x = torch.ones(400, 400)
(x @ x).sum(); torch.nn.functional.relu(torch.ones(2_000_000)).sum()
before = count()
settled = pools.settle()
alone = count()
read, write = os.pipe()
child = os.fork()
if child == 0:
    pools.resume()
    os.write(write, str([torch.get_num_threads(), float((x @ x).sum())]).encode())
    os._exit(0)
os.close(write)
said = eval(os.read(read, 1000))
os.waitpid(child, 0)
result = [before > 1, settled, alone, *said]
"""
    assert result_of(source, tmp_path) == [True, True, 1, 3, 400.0**3]


@linux_only
@pytest.mark.skipif(importlib.util.find_spec("tqdm") is None, reason="needs tqdm")
def test_the_threads_that_watch_tqdms_bars_are_ended(tmp_path: Path) -> None:
    """A kind of bar of its own, as tqdm.notebook's, has a thread of its own."""
    source = f"""{POOLS}
import sys, tqdm
class Own(tqdm.tqdm):
    pass
bars = [kind(total=3, file=open(os.devnull, "w"), mininterval=0) for kind in (Own, tqdm.tqdm)]
before = count()
settled = pools.settle()
for bar in bars:
    bar.update(1); bar.close()
result = [before, settled, Own.monitor, tqdm.tqdm.monitor]
"""
    assert result_of(source, tmp_path) == [3, True, None, None]


# -- nobody is there ---------------------------------------------------------------------------------------


def test_a_question_is_answered_with_an_empty_line(capsys: pytest.CaptureFixture[str]) -> None:
    ask = Answers(Notes())
    assert ask("your name? ") == ""
    assert ask() == ""
    assert "your name? \n" in capsys.readouterr().out


def test_a_question_that_is_repeated_for_ever_ends(capsys: pytest.CaptureFixture[str]) -> None:
    """In each request anew."""
    notes = Notes()
    ask = Answers(notes)
    for _ in range(MOST_ANSWERS):
        ask("a number? ")
    with pytest.raises(EOFError, match="more than 100 times: nobody is there"):
        ask("a number? ")
    notes.begin()
    assert ask("again? ") == ""
    assert capsys.readouterr().out.count("a number?") == MOST_ANSWERS


@pytest.mark.parametrize(
    ("waits", "note"),
    [
        ("input('x')", "waiting for input, answered with an empty line"),
        ("import getpass; getpass.getpass()", "waiting for input, answered with an empty line"),
        ("breakpoint()", "breakpoint(): nobody is there to answer"),
        ("import pdb; pdb.set_trace()", "pdb.set_trace(): nobody is there to answer"),
        ("import pdb; pdb.post_mortem()", "the debugger: nobody is there to answer"),
        ("import pdb; pdb.run('1')", "the debugger: nobody is there to answer"),
        (
            "from IPython.core.debugger import set_trace; set_trace()",
            "set_trace(): nobody is there to answer",
        ),
        ("%debug", "%debug: nobody is there to answer"),
        ("%pdb on", "%pdb: nobody is there to answer"),
        ("exit()", "exit()"),
        ("quit", None),
    ],
)
def test_what_waits_for_a_person_goes_on_at_once(waits: str, note: str | None, tmp_path: Path) -> None:
    source = f"""{SHELL}
import IPython.core.debugger
from grader.inside import nobody_there
nobody_there.install(shell)
ran = shell.run_cell({waits!r} + "\\nafter = 1")
result = [ran.success, shell.user_ns.get("after"), NOTES.kept]
"""
    success, after, notes = result_of(source, tmp_path)
    assert (success, after) == (True, 1)
    assert notes == ([note] if note else [])


# -- torch's tracer ----------------------------------------------------------------------------------------

OPTIMIZER = """
import sys, torch
from grader.inside.compiling import load_no_tracer
load_no_tracer()
weight = torch.nn.Parameter(torch.ones(1))
optimizer = torch.optim.SGD([weight], lr=0.5)
weight.sum().backward()
optimizer.step()
before = "torch._dynamo.eval_frame" in sys.modules
result = [float(weight), before, callable(torch._dynamo.optimize), "torch._dynamo.eval_frame" in sys.modules]
"""


@needs_torch
def test_an_optimizer_does_not_load_the_tracer_and_whoever_asks_for_it_has_it_whole(tmp_path: Path):
    assert result_of(OPTIMIZER, tmp_path) == [0.5, False, True, True]
