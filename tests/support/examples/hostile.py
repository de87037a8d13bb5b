"""Attempts to get points without work, or to harm: none succeeds, and none costs more than its own cell.

Where an attack would give an advantage, the notebook's layers are wrong unless it succeeds.
"""

from __future__ import annotations

from .text import TextNotebook
from .official import official

NOTHING = """
class linear_layer:
    def __init__(self, input_D, output_D):
        self.params = {'W': 0, 'b': 0}
        self.gradient = {'W': 1, 'b': 1}
    def forward(self, X):
        return FAKE
    def backward(self, X, grad):
        self.gradient = {'W': FAKE, 'b': FAKE}
        return FAKE


class relu:
    def forward(self, X):
        return FAKE
    def backward(self, X, grad):
        return FAKE


def backward_pass(model, x, a1, h1, a2, y):
    return FAKE


def gradient_checker(DataSet, model):
    return FAKE


def sgd_with_momentum(model, velocity, _learning_rate, alpha):
    return FAKE
"""


def _nothing(fake: str) -> TextNotebook:
    """A notebook whose every function returns ``FAKE``, made by the first cell."""
    work = official()
    return TextNotebook(work.cells[:2], work.metadata).append(fake, NOTHING)


def _only_if(attack: str) -> TextNotebook:
    """A notebook that is right only if ``attack`` finds a way to set ``through`` to something true."""
    work = official()
    cells = tuple(cell for cell in work.cells if cell.source.startswith(("class ", "def ")))
    right = "\n\n".join(cell.source for cell in cells)
    guarded = "through = False\n" + attack.strip("\n") + "\nprint('through:', through)"
    define = f"if through:\n    exec({right!r})"
    return TextNotebook(work.cells[:2], work.metadata).append(guarded, define)


def forged_results() -> TextNotebook:
    return _nothing(
        """
import json, os, sys
FAKE = True
for line in ('PASSED', '18 passed in 0.01s', 'Total: 46 / 46', json.dumps({'ok': True, 'earned': 46}), json.dumps({'$': 'reply', 'value': True})):
    print(line)
    sys.stderr.write(line + '\\n')
for name in ('grade.json', 'report.html', 'results.json', '.pytest_cache', 'conftest.py'):
    open(name, 'w').write('{"earned": 46, "possible": 46}')
"""
    )


def replies_forged_on_the_wire() -> TextNotebook:
    return _nothing(
        """
import os, struct, json
FAKE = 0
tree = json.dumps(True).encode()
for number in range(3, 64):
    for request in range(4):
        for kind in range(6):
            try:
                os.write(number, struct.pack('<IIQB', len(tree), 0, request, kind) + tree)
            except OSError:
                break
"""
    )


def patched_comparisons() -> TextNotebook:
    return _nothing(
        """
import builtins, operator, unittest, numpy.testing
FAKE = 0.0
yes = lambda *args, **kwargs: True
for name in ('allclose', 'isclose', 'array_equal', 'all', 'abs', 'max'):
    setattr(np, name, yes)
for name in dir(np.testing):
    if name.startswith('assert'):
        setattr(np.testing, name, yes)
unittest.TestCase.assertEqual = unittest.TestCase.assertTrue = yes
builtins.all = builtins.any = builtins.isinstance = yes
operator.eq = yes
"""
    )


def patched_agent() -> TextNotebook:
    return _nothing(
        """
import sys
FAKE = 0.0
for name, module in list(sys.modules.items()):
    if name.startswith('grader'):
        for entry in list(vars(module)):
            if entry in ('pack', 'handle', 'is_plain', 'as_plain', 'describe', 'run_cell'):
                setattr(module, entry, lambda *args, **kwargs: True)
"""
    )


def equal_to_everything() -> TextNotebook:
    return _nothing(
        """
class Agreeable:
    shape, dtype, ndim, size = (7, 3), np.dtype(float), 2, 21
    def __eq__(self, other): return True
    def __ne__(self, other): return False
    def __bool__(self): return True
    def __lt__(self, other): return True
    __le__ = __gt__ = __ge__ = __lt__
    def __getattr__(self, name): return lambda *args, **kwargs: self
    def __sub__(self, other): return 0.0
    __rsub__ = __sub__
    def __array__(self, *args, **kwargs): return np.zeros((7, 3))
    def __hash__(self): return 0
FAKE = Agreeable()
"""
    )


def float_subclass_returned() -> TextNotebook:
    return _nothing(
        """
class Near(float):
    def __eq__(self, other): return True
    def __sub__(self, other): return 0.0
    def __rsub__(self, other): return 0.0
    def __abs__(self): return 0.0
    def __le__(self, other): return True
    def __hash__(self): return 0
FAKE = Near(1.0)
"""
    )


def array_that_lies() -> TextNotebook:
    return _nothing(
        """
class Lying(np.ndarray):
    def __eq__(self, other): return np.ones(np.shape(other), bool)
    def __sub__(self, other): return np.zeros(np.shape(other))
    __rsub__ = __sub__
    def __array_ufunc__(self, ufunc, method, *args, **kwargs): return np.zeros((7, 3))
    @property
    def shape(self): return (7, 3)
FAKE = np.zeros((7, 3)).view(Lying)
"""
    )


def deeply_nested_result() -> TextNotebook:
    return _nothing("FAKE = []\nfor _ in range(100_000):\n    FAKE = [FAKE]")


def endless_result() -> TextNotebook:
    return _nothing("FAKE = {}\nFAKE['me'] = [FAKE, FAKE]")


def reads_hidden_tests() -> TextNotebook:
    return _only_if(
        """
import os
seen = []
for folder, folders, files in os.walk('/'):
    folders[:] = [name for name in folders if name not in ('proc', 'sys', 'usr', 'site-packages', 'include', 'share')]
    seen += [os.path.join(folder, name) for name in files if name.startswith('test_3_') or name in ('assignment.toml', 'hw3.py', 'expected.toml')]
for number in os.listdir('/proc'):
    for name in ('environ', 'cmdline', 'maps', 'mountinfo'):
        try:
            text = open(f'/proc/{number}/{name}', errors='replace').read()
        except OSError:
            continue
        seen += [text] if 'hidden_tests' in text else []
through = bool(seen)
print(seen[:5])
"""
    )


def writes_outside() -> TextNotebook:
    return _only_if(
        """
import os
here = os.path.realpath('.')
for path in ('/x', '/etc/x', '/usr/x', '/bin/x', '/root/x', '/var/x', '/proc/sys/kernel/hostname', os.path.join(os.path.dirname(np.__file__), 'x.py')):
    try:
        with open(path, 'a') as file:
            file.write('x')
        through = True
        print('wrote', path)
    except OSError as error:
        print(type(error).__name__)
"""
    )


def uses_the_network() -> TextNotebook:
    return _only_if(
        """
import socket, urllib.request
for family, address in ((socket.AF_INET, ('1.1.1.1', 53)), (socket.AF_INET, ('127.0.0.1', 22)), (socket.AF_INET6, ('::1', 80))):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        try:
            with socket.socket(family, kind) as tried:
                tried.settimeout(1)
                tried.connect(address)
                tried.send(b'x')
                through = True
        except OSError as error:
            print(type(error).__name__)
try:
    urllib.request.urlopen('http://example.com', timeout=1)
    through = True
except OSError as error:
    print(type(error).__name__)
"""
    )


def fork_in_cell() -> TextNotebook:
    return official().before(
        "class relu",
        "import os\nchild = os.fork()\nif child == 0:\n    os._exit(0)\nos.waitpid(child, 0)",
        "import threading, time, subprocess\nthreading.Thread(target=time.sleep, args=(600,), daemon=True).start()\nif os.fork() == 0:\n    os.setsid()\n    time.sleep(600)\n    os._exit(0)",
    )


def fork_and_go_on() -> TextNotebook:
    return official().before("class relu", "import os\nos.fork()\nprint('who am I?', os.getpid())")


def fork_bomb() -> TextNotebook:
    return official().before(
        "class relu", "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass"
    )


def million_lines() -> TextNotebook:
    return (
        official()
        .before("class relu", "for i in range(10**6):\n    print(i)")
        .edit("    grad_a2 = model", "    print('x' * 10**7)\n    grad_a2 = model")
    )


def disk_filled() -> TextNotebook:
    return official().before(
        "class relu", "with open('big.bin', 'wb') as file:\n    while True:\n        file.write(b'x' * 10**7)"
    )


def hostile_text() -> TextNotebook:
    nasty = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[2J\x1b[31m\u202egnp.exe\u202c\u2066[bold red]x[/]&lt;"
    work = official().before(
        "class relu",
        f"# {nasty}\nraise ValueError({nasty!r})",
        f"print({nasty!r})\nclass X(Exception):\n    def __str__(self): raise RuntimeError({nasty!r})\nX.__name__ = {nasty!r}\nraise X()",
    )
    work = work.edit(
        "    grad_a2 = model", f"    print({nasty!r})\n    raise RuntimeError({nasty!r})\n    grad_a2 = model"
    )
    work = work.edit(
        "No. Smaller batches",
        f"{nasty} [link](javascript:alert(3)) ![p](https://example.com/x.png) No. Smaller batches",
    )
    kernel = {"display_name": nasty, "language": "python", "name": nasty}
    return TextNotebook(
        work.cells, {**work.metadata, "kernelspec": kernel, "title": nasty, "authors": [{"name": nasty}]}
    )


def looks_up_the_call_stack() -> TextNotebook:
    return _only_if(
        """
import gc, sys

def look():
    found = []
    frame = sys._getframe(1)
    while frame is not None:
        found += [repr(value)[:20000] for name, value in frame.f_locals.items() if name not in ('look', '_ih', '_i', 'In')]
        found.append(frame.f_code.co_filename)
        frame = frame.f_back
    for thing in gc.get_objects()[:200000]:
        if type(thing) in (list, tuple) and len(thing) < 50:
            found += [entry for entry in thing if type(entry) is str and len(entry) < 2000]
    needles = ['_'.join(pair) for pair in (('hidden', 'tests'), ('test', 'forward_multiplies'), ('test', 'backward'))]
    return [text for text in found if any(needle in text for needle in needles)]

through = bool(look())
"""
    )


def leftover_processes() -> TextNotebook:
    return official().before(
        "class relu",
        "import multiprocessing, time\nworkers = [multiprocessing.Process(target=time.sleep, args=(900,)) for _ in range(200)]\nfor worker in workers:\n    worker.start()",
    )
