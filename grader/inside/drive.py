"""Paths of Colab and Kaggle that are not here: a file that is here is found by its name.

``/content/drive/MyDrive/hw3/data.txt`` is looked for as ``hw3/data.txt`` and ``data.txt`` in the folder that
the notebook runs in; what is written there goes there too. A folder that is not here stops nothing.
"""

from __future__ import annotations

import builtins
import io
import os
import sys
from collections.abc import Callable
from typing import Any

from grader.inside.notes import not_done

ELSEWHERE = ("/content", "/gdrive", "/kaggle/input", "/kaggle/working")
_ONE_PATH = ("chdir", "listdir", "lstat", "makedirs", "mkdir", "open", "remove", "scandir", "stat", "unlink")
_MADE = ("makedirs", "mkdir")


def install() -> bool:
    """Find such paths in the current folder, from Python's own functions. Acts on the whole process."""
    home = os.getcwd()
    if any(os.path.exists(place) for place in ELSEWHERE):
        return True  # the real thing

    def here(path: Any) -> Any:
        if type(path) is not str and not isinstance(path, os.PathLike):
            return path
        return found(os.fspath(path), home)

    builtins.open = io.open = _redirected(builtins.open, here)
    shell = sys.modules.get("IPython.core.interactiveshell")
    if shell is not None:
        vars(shell)["io_open"] = io.open  # what `open` in a cell calls
    for name in _ONE_PATH:
        original = getattr(os, name)
        redirected = _redirected(original, here, made=name in _MADE)
        for able in (
            os.supports_dir_fd,
            os.supports_effective_ids,
            os.supports_fd,
            os.supports_follow_symlinks,
        ):
            if original in able:  # shutil and others ask before they call
                able.add(redirected)
        setattr(os, name, redirected)
    return True


def found(path: Any, home: str) -> Any:
    """Where a path of such a place is here; any other path as it is."""
    if type(path) is not str or not is_elsewhere(path):
        return path
    parts = [part for part in path.split("/")[2:] if part]
    for start in range(len(parts)):
        candidate = os.path.join(home, *parts[start:])
        if _exists(candidate):
            return candidate
    last = parts[-1] if parts else ""
    return os.path.join(home, last) if "." in last else home


def is_elsewhere(path: str) -> bool:
    """Whether a path lies in one of those places."""
    return any(path == place or path.startswith(place + "/") for place in ELSEWHERE)


_access = os.access


def _exists(path: str) -> bool:
    return _access(path, os.F_OK)


def _redirected(
    function: Callable[..., Any], here: Callable[[Any], Any], *, made: bool = False
) -> Callable[..., Any]:
    def redirected(path: Any = ".", *arguments: Any, **options: Any) -> Any:
        place = here(path)
        if place is not path and place != path:
            if made and _exists(place):
                return None
            name = os.path.basename(place)
            not_done(f"{path} is not here; {name if '.' in name else 'the folder of the notebook'} is used")
        return function(place, *arguments, **options)

    redirected.__name__ = getattr(function, "__name__", "redirected")
    redirected.__doc__ = function.__doc__
    return redirected
