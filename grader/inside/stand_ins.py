"""Stand-ins for what notebooks use and a sandbox lacks, so that it costs a student nothing.

Modules that only talk to a notebook's front end (google.colab, ipywidgets, tqdm's bars) if they are not
installed; shell commands, installs, ``exit()`` and ``input()``, which do nothing and say so.
"""

from __future__ import annotations

import builtins
import importlib.abc
import importlib.machinery
import importlib.util
import os
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

NOT_HERE = "not done while grading: {what}\n"

# Packages that only drive a front end or a hosted notebook.
FRONT_END_PACKAGES = ("google.colab", "ipywidgets", "tqdm")
INSTALLERS = ("pip", "conda", "mamba", "micromamba", "uv")
EXTENSIONS = ("load_ext", "reload_ext", "unload_ext", "autoreload", "tensorboard", "tensorflow_version")
LINE_MAGICS = (*INSTALLERS, *EXTENSIONS, "cd", "shell")
CELL_MAGICS = ("bash", "sh", "shell", "script", "system", "sx", "html", "HTML", "javascript", "js")


class Anything:
    """Returns itself for every attribute, call, index and ``with``; iterates over nothing."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: object, **_: object) -> Any:  # noqa: D102
        # A decorator (@interact) hands back the function it was given.
        return arguments[0] if len(arguments) == 1 and callable(arguments[0]) else self

    def __getitem__(self, _: object) -> Any:
        return self

    def __iter__(self) -> Iterator[object]:
        return iter(())

    def __enter__(self) -> Any:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def __len__(self) -> int:
        return 0

    def __bool__(self) -> bool:
        return False


class PlainBar:
    """tqdm without a bar: iterates over what it was given."""

    def __init__(self, iterable: Iterable[Any] | None = None, *_: object, **options: object) -> None:
        self._iterable = iterable
        self.total = options.get("total")
        self.n = 0

    def __iter__(self) -> Iterator[Any]:
        return iter(self._iterable if self._iterable is not None else ())

    def __len__(self) -> int:
        return len(self._iterable)  # type: ignore[arg-type]  # as tqdm: TypeError where there is no length

    def __enter__(self) -> PlainBar:
        return self

    def __exit__(self, *_: object) -> None:
        return None

    def update(self, n: float = 1) -> None:
        """Count, as tqdm does."""
        self.n = int(self.n + n)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()

    @classmethod
    def write(cls, text: object, **_: object) -> None:
        """Print a line."""
        print(text)  # noqa: T201  # what tqdm.write is for


def plain_range(*bounds: int, **options: object) -> PlainBar:
    """tqdm.trange."""
    return PlainBar(range(*bounds), **options)


def ignoring_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Python's own function in place of tqdm.contrib's (tzip, tmap, tenumerate), without its options."""

    def plain(*arguments: object, **_: object) -> Any:
        return function(*arguments)

    return plain


class StandInModule(types.ModuleType):
    """A module of which every name is ``Anything``."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return Anything()


class StandInFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Last on sys.meta_path, so a module that is installed is used as it is."""

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None = None,
        target: types.ModuleType | None = None,
    ) -> importlib.machinery.ModuleSpec | None:
        """Offer a stand-in for the packages above, and for ``google``, which holds one of them."""
        del path, target
        families = (*FRONT_END_PACKAGES, "google")
        if fullname in families or fullname.startswith(tuple(name + "." for name in FRONT_END_PACKAGES)):
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty module for ``google``, a stand-in otherwise."""
        return types.ModuleType(spec.name) if spec.name == "google" else StandInModule(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill in the few names whose behaviour matters: loops run through them."""
        if module.__name__.split(".")[0] == "tqdm":
            for name in ("tqdm", "tqdm_notebook"):
                setattr(module, name, PlainBar)
            for name in ("trange", "tnrange"):
                setattr(module, name, plain_range)
            for name, plain in (("tzip", zip), ("tmap", map), ("tenumerate", enumerate)):
                setattr(module, name, ignoring_options(plain))


def grader_module() -> types.ModuleType:
    """What ``import grader`` gives in a cell, as for public checks: a ``check`` that says when checks run."""
    module = types.ModuleType("grader")

    def check(item: str = "", *_: object, **__: object) -> None:
        print(f"check({item!r}): checks run after the notebook while grading")  # noqa: T201  # a cell's output

    module.check = check  # type: ignore[attr-defined]
    return module


def quiet_input(output: Callable[[str], object]) -> Callable[..., str]:
    """An ``input()`` that answers with an empty line and says so."""

    def answer(prompt: object = "", *_: object) -> str:
        output(f"{prompt}\n" + NOT_HERE.format(what="waiting for input, answered with an empty line"))
        return ""

    return answer


def ignored_exit(output: Callable[[str], object]) -> Callable[..., None]:
    """An ``exit()`` that does not leave, and says so."""

    def stay(*_: object) -> None:
        output(NOT_HERE.format(what="exit()"))

    return stay


def always_inline(magic: Callable[[str], object]) -> Callable[..., object]:
    """A ``%matplotlib`` that draws inline, whichever window, widget or browser is named."""

    def run(line: str = "") -> object:
        return magic(line if "-l" in line.split() or "--list" in line.split() else "inline")

    return run


def install(shell: Any) -> None:
    """Put all stand-ins in place. Acts on the whole process: only for one that runs a submission."""

    def write(text: str) -> object:
        return sys.stdout.write(text)

    def no_system(command: object, *_: object, **__: object) -> None:
        write(NOT_HERE.format(what=f"!{command}"))

    def no_output(command: object, *_: object, **__: object) -> Any:
        from IPython.utils.text import SList  # noqa: PLC0415  # lives with the shell it imitates

        no_system(command)
        return SList([])

    def no_magic(name: str) -> Callable[..., None]:
        def run(line: str = "", cell: str | None = None) -> None:
            del cell
            write(NOT_HERE.format(what=f"%{name} {line}".strip()))

        return run

    shell.system = shell.system_piped = shell.system_raw = no_system
    shell.getoutput = no_output
    for name in LINE_MAGICS:
        shell.register_magic_function(no_magic(name), "line", name)
    for name in CELL_MAGICS:
        shell.register_magic_function(no_magic(f"%{name}"), "cell", name)
    draw = shell.magics_manager.magics["line"]["matplotlib"]
    shell.register_magic_function(always_inline(draw), "line", "matplotlib")
    shell.user_ns["exit"] = shell.user_ns["quit"] = ignored_exit(write)
    builtins.input = quiet_input(write)
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    # Asked last, so that an installed package is used as it is.
    if not any(isinstance(finder, StandInFinder) for finder in sys.meta_path):
        sys.meta_path.append(StandInFinder())
