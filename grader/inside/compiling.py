"""``torch.compile``, which needs a compiler and files that can be run: here code runs as it is written."""

from __future__ import annotations

import importlib.util
import sys
import types
from typing import Any

from grader.inside.notes import not_done


def install() -> bool:
    """Let ``torch.compile`` give back what it was given; False if PyTorch is not loaded yet."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    torch.compile = as_it_is
    return True


def as_it_is(model: Any = None, **_: object) -> Any:
    """The function or model itself; a decorator that gives it back where there is none yet."""
    if model is None:
        return as_it_is
    not_done("torch.compile: it runs as it is written")
    return model


class Tracer(types.ModuleType):
    """``torch._dynamo`` with the two functions that optimizers call, until something else is asked of it.

    To load it takes a second and a thousand modules, and every optimizer does so only to say that it must
    not be traced. That is so anyway while nothing is compiled.
    """

    @staticmethod
    def graph_break(*_: object, **__: object) -> None:
        """Interrupt no tracing."""

    @staticmethod
    def disable(function: Any = None, *_: object, **__: object) -> Any:
        """The function itself, or a decorator that changes nothing."""
        return (lambda decorated: decorated) if function is None else function

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or self.__spec__ is None or self.__spec__.loader is None:
            raise AttributeError(f"module {self.__name__!r} has no attribute {name!r}")
        self.__class__ = types.ModuleType  # type: ignore[assignment]  # the same module, whole from now on
        self.__spec__.loader.exec_module(self)
        return getattr(self, name)


def load_no_tracer() -> None:
    """Put a Tracer in the place of ``torch._dynamo``, unless that is loaded."""
    spec = importlib.util.find_spec("torch._dynamo")
    if spec is None or spec.name in sys.modules:
        return
    module = importlib.util.module_from_spec(spec)
    module.__class__ = Tracer
    sys.modules[spec.name] = sys.modules["torch"]._dynamo = module  # type: ignore[attr-defined]
