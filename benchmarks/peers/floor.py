"""The least that grading could take: a warm process forks a child for each notebook, which runs all cells.

usage: python -m benchmarks.peers.floor JOBS CELLS.json...

CELLS.json is a list of cells' sources. There is no sandbox, no time limit, no score, no record and no report.
"""

from __future__ import annotations

import io
import json
import os
import sys
from collections import deque
from pathlib import Path
from typing import Any


def warm_up() -> None:
    """Import what the notebooks import, and what their first figure and optimizer import then."""
    import matplotlib.pyplot as plt  # noqa: PLC0415
    import matplotlib_inline.backend_inline  # noqa: F401, PLC0415
    import numpy as np  # noqa: F401, PLC0415
    import torch  # noqa: PLC0415
    import torch._dynamo  # noqa: F401, PLC0415
    from IPython.core.interactiveshell import InteractiveShell  # noqa: F401, PLC0415

    plt.plot([1, 2])
    plt.savefig(io.BytesIO(), format="png", bbox_inches="tight")
    plt.close()


def child(path: str) -> None:
    """Run the cells in IPython, with what they print thrown away and figures drawn as in a notebook."""
    from IPython.core.displaypub import CapturingDisplayPublisher  # noqa: PLC0415
    from IPython.core.interactiveshell import InteractiveShell  # noqa: PLC0415
    from traitlets.config import Config  # noqa: PLC0415

    class Shell(InteractiveShell):
        """IPython without a window."""

        def enable_gui(self, gui: str | None = None) -> None:
            """There is none."""

    cells = json.loads(Path(path).read_text())
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.dup2(nowhere, 2)
    settings = Config()
    settings.HistoryManager.enabled = False
    shell: Any = Shell.instance(config=settings)
    shell.display_pub = CapturingDisplayPublisher()  # type: ignore[no-untyped-call]
    shell.run_line_magic("matplotlib", "inline")
    for cell in cells:
        shell.run_cell(cell)


def main(jobs: int, paths: list[str]) -> None:
    """Fork for every notebook, so many at a time."""
    warm_up()
    left, running = deque(paths), 0
    while left or running:
        if left and running < jobs:
            path = left.popleft()
            if os.fork() == 0:
                try:
                    child(path)
                finally:
                    os._exit(0)
            running += 1
        else:
            os.wait()
            running -= 1


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2:])
