"""What a notebook finds where it looks for its kernel: ``get_ipython().kernel``, ``ipykernel``."""

from __future__ import annotations

import sys
from typing import Any

from traitlets.config import Application

from grader.inside.notes import not_done
from grader.inside.stand_ins import Anything, StandIn

_VERSION = (7, 0, 0)
_CONNECTION = "/tmp/kernel-00000000-0000-0000-0000-000000000000.json"  # noqa: S108  # only a name


class Kernel(Anything):
    """ipykernel's base class; whatever it has for the front end answers with nothing."""


class IPythonKernel(Kernel):
    """The kernel of a shell, which nobody can shut down."""

    implementation = "ipython"
    banner = f"Python {sys.version}"

    def __init__(self, shell: Any) -> None:
        super().__init__()
        self.shell = shell
        self.language_info = {"name": "python", "version": sys.version.split()[0], "file_extension": ".py"}

    @property
    def execution_count(self) -> int:
        """The number of the cell that runs."""
        return int(self.shell.execution_count)

    def do_shutdown(self, restart: bool = False) -> dict[str, object]:  # noqa: FBT001, FBT002  # ipykernel's
        """Answer as a kernel does that is about to end, and go on."""
        not_done("restarting the kernel" if restart else "shutting the kernel down")
        return {"status": "ok", "restart": restart}


class IPKernelApp(Application):
    """The application of a kernel: ``IPython.Application.instance()``, ``IPKernelApp.initialized()``."""

    kernel: IPythonKernel
    connection_file = _CONNECTION


def get_connection_file(*_: object) -> str:
    """Where a kernel would say how it is reached; there is no such file."""
    return _CONNECTION


def install(shell: Any) -> None:
    """Answer as Jupyter does where code asks whether it runs in a notebook. Only for sandboxes' processes."""
    shell.config["IPKernelApp"] = type(shell.config)()
    shell.kernel = IPythonKernel(shell)
    IPKernelApp.clear_instance()
    IPKernelApp.instance().kernel = shell.kernel
    modules: dict[str, dict[str, Any]] = {
        "ipykernel.connect": {"get_connection_file": get_connection_file},
        "ipykernel.ipkernel": {"IPythonKernel": IPythonKernel},
        "ipykernel.kernelapp": {"IPKernelApp": IPKernelApp},
        "ipykernel.kernelbase": {"Kernel": Kernel},
        "ipykernel.zmqshell": {"ZMQInteractiveShell": type(shell)},
    }
    package: Any = StandIn("ipykernel")
    package.__path__, package.version_info, package.__version__ = [], _VERSION, ".".join(map(str, _VERSION))
    package.get_connection_file = get_connection_file
    sys.modules["ipykernel"] = package
    for name, contents in modules.items():
        module = sys.modules[name] = StandIn(name)
        vars(module).update(contents)
        setattr(package, name.partition(".")[2], module)
        for value in contents.values():
            if isinstance(value, type):  # code tells a notebook by `"ipykernel" in str(type(get_ipython()))`
                value.__module__ = name
