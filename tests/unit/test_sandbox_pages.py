"""What the warm process does once for all sandboxes: its memory in huge pages, what a notebook needs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from support.measured import start_zygote
from support.sandboxed import checked, sandboxed

from grader.sandbox.huge_pages import HUGE, regions

MAPS = """\
00400000-00c00000 rw-p 00000000 00:00 0                                  [heap]
7f0000000000-7f0000a00000 rw-p 00000000 00:00 0
7f0001000000-7f0001a00000 r--p 00000000 00:00 0
7f0002000000-7f0002a00000 rw-s 00000000 00:00 0
7f0003000000-7f0003a00000 rw-p 00000000 fe:00 1234                       /usr/lib/libx.so
7f0004001000-7f0004801000 rw-p 00000000 00:00 0
7f0005000000-7f0005100000 rw-p 00000000 00:00 0
7ffd00000000-7ffd00a00000 rw-p 00000000 00:00 0                          [stack]
"""

PROGRAM = """
import numpy
from grader.sandbox import huge_pages
data = numpy.arange(8 << 20, dtype=numpy.int64)
before = int(data.sum())
huge_pages.gather()
assert int(data.sum()) == before
pages = [line for line in open("/proc/self/smaps_rollup") if line.startswith("AnonHugePages")]
print(pages[0].split()[1])
"""


def test_only_private_writable_memory_of_no_file_is_gathered_in_whole_pages():
    assert list(regions(MAPS.splitlines(keepends=True))) == [
        (0x400000, 4 * HUGE),
        (0x7F0000000000, 5 * HUGE),
        (0x7F0004200000, 3 * HUGE),
    ]


def test_gathered_memory_holds_what_it_held():
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 0  # how much was gathered depends on the kernel; the values do not


NOTING = """
import sys
from grader.inside import agent
make_shell, serve = agent.make_shell, agent.serve

def prepare(shell):
    agent.prepare(shell)
    sys.loaded_before = frozenset(sys.modules)
"""


@pytest.mark.sandbox
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="sandboxes need Linux")
def test_what_a_notebook_needs_is_prepared_in_the_warm_process(tmp_path: Path) -> None:
    """Each sandbox would take 10 ms to import and make it."""
    (tmp_path / "noting.py").write_text(NOTING)
    cell = "import sys; new = [name for name in sys.modules if name not in sys.loaded_before]"
    prepared = ("IPython.core.magics", "encodings", "ipykernel", "matplotlib")
    with (
        start_zygote("numpy", "matplotlib.pyplot", entry="noting", import_path=[tmp_path]) as warm,
        sandboxed(warm, cell) as notebook,
        checked(notebook, seed=1) as student,
    ):
        assert [name for name in student.new.value if name.startswith(prepared)] == []
