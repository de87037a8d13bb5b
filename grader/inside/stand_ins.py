"""Modules and magics that only talk to a notebook's front end or to a service, and have nobody to talk to.

Such modules (google.colab, ipywidgets, tqdm) are stood in for where they are not installed.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import sys
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from grader.inside.notes import not_done

# Module families that only drive a front end or a hosted notebook, or report to a service.
FRONT_ENDS = ("google.colab", "ipykernel", "ipywidgets", "kaggle_secrets", "tqdm")
SERVICES = ("clearml", "comet_ml", "mlflow", "neptune", "tensorboardX", "wandb")
STOOD_IN_FOR = (*FRONT_ENDS, *SERVICES)


LINE_MAGICS = (
    "autoreload", "autosave", "clear", "connect_info", "edit", "less", "man", "more", "qtconsole", "store",
    "subshell", "tensorboard", "tensorflow_version",
)  # fmt: skip
CELL_MAGICS = ("html", "HTML", "javascript", "js")
SERVERS = ("tensorboard", "tensorboard.notebook")
"""Extensions that start a server, for which there is nobody."""
_MAGICS_OF = {"line_profiler": ("lprun",), "memory_profiler": ("memit", "mprun")}


class Anything:
    """Answers every attribute, call, index and context with itself; iterates over nothing.

    What it is made with by name it has: ``IntSlider(value=3).value``. It can be a class's base.
    """

    def __init__(self, *_: object, **options: object) -> None:
        for name, value in options.items():
            if not isinstance(value, dict):  # such as a run's config, whose entries are its attributes
                setattr(self, name, value)

    def __mro_entries__(self, _: object) -> tuple[type, ...]:
        return (Anything,)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return self

    def __call__(self, *arguments: object, **options: object) -> Any:  # noqa: D102
        # A decorator (@interact) hands back the function it was given.
        if len(arguments) == 1 and callable(arguments[0]):
            return arguments[0]
        return Anything(**options) if options else self

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


def without_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """tqdm.contrib's tzip, tmap and tenumerate: Python's own, whatever the bar should look like."""

    def plain(*arguments: object, **_: object) -> Any:
        return function(*arguments)

    return plain


class StandIn(types.ModuleType):
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
        """Offer a stand-in for the families above, and for the package ``google`` that holds one."""
        del path, target
        families = (*STOOD_IN_FOR, "google")
        if fullname in families or fullname.startswith(tuple(name + "." for name in STOOD_IN_FOR)):
            return importlib.util.spec_from_loader(fullname, self, is_package=True)
        return None

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> types.ModuleType:
        """An empty module for ``google``, a stand-in otherwise."""
        if spec.name in ("google.colab", *SERVICES):
            not_done(f"{spec.name}: it is stood in for, and nothing is sent anywhere")
        return types.ModuleType(spec.name) if spec.name == "google" else StandIn(spec.name)

    def exec_module(self, module: types.ModuleType) -> None:
        """Fill in the few names whose behaviour matters."""
        if module.__name__.split(".")[0] == "tqdm":
            for name in ("tqdm", "tqdm_notebook"):
                setattr(module, name, PlainBar)
            for name in ("trange", "tnrange"):
                setattr(module, name, plain_range)
            for name, plain in (("tzip", zip), ("tmap", map), ("tenumerate", enumerate)):
                setattr(module, name, without_options(plain))


def grader_module() -> types.ModuleType:
    """What ``import grader`` gives in a cell: a ``check`` that says when checks run."""
    module = types.ModuleType("grader")

    def check(item: str = "", *_: object, **__: object) -> None:
        print(f"check({item!r}): checks run after the notebook while grading")  # noqa: T201  # a cell's output

    module.check = check  # type: ignore[attr-defined]
    return module


def install_magics(shell: Any) -> None:
    """Have a notebook's shell pass over the magics that have nobody to talk to."""
    for name in LINE_MAGICS:
        shell.register_magic_function(_left_out(name), "line", name)
    for name in ("load_ext", "reload_ext"):
        shell.register_magic_function(_extension(shell, name), "line", name)
    for name in CELL_MAGICS:
        shell.register_magic_function(_not_shown, "cell", name)


def install_finder() -> None:
    """Offer the stand-ins to imports. Acts on the whole process: only where a submission runs."""
    if not any(isinstance(finder, StandInFinder) for finder in sys.meta_path):
        sys.meta_path.append(StandInFinder())


def _left_out(name: str) -> Callable[..., None]:
    def leave_out(line: str = "") -> None:
        not_done(f"%{name} {line}".strip())

    return leave_out


def _extension(shell: Any, name: str) -> Callable[..., object]:
    """Load an extension as IPython does; one that is not installed is left out, with its magics."""
    load = shell.find_line_magic(name)

    def load_extension(line: str = "") -> object:
        module = line.strip()
        if module in SERVERS:
            return _left_out(name)(line)
        try:
            return load(line)
        except ModuleNotFoundError as error:
            if error.name is None or not f"{module}.".startswith(f"{error.name}."):
                raise
        for magic in (module.rpartition(".")[2], *_MAGICS_OF.get(module, ())):
            shell.register_magic_function(_left_out(magic), "line", magic)
        return _left_out(name)(line)

    return load_extension


def _not_shown(line: str = "", cell: str | None = None) -> None:
    """A cell for a browser: nobody looks at it."""
    del line, cell
