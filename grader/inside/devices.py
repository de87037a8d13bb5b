"""Code that names a GPU, run on the processor: ``.cuda()``, ``device="cuda"``, ``map_location="cuda:0"``.

Grading machines have none, and a right answer is right on the processor too. PyTorch's own mechanism for
overriding its functions rewrites the device, so that no call site has to be known.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

from grader.inside.notes import not_done

_DEVICE = "cuda"
_NOTHING = (
    "synchronize", "set_device", "init", "empty_cache", "ipc_collect", "reset_peak_memory_stats",
    "reset_max_memory_allocated", "reset_max_memory_cached",
)  # fmt: skip


def install_calls() -> bool:
    """Let a GPU's functions and types be named where there is none; False if PyTorch is not loaded yet."""
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    if torch.cuda.is_available():
        return True
    torch.load = _loaded_here(torch.load, partial(_is_gpu, torch))
    for name in _NOTHING:
        setattr(torch.cuda, name, lambda *_, **__: None)
    torch.cuda.current_device = lambda: 0
    torch.cuda.get_device_name = lambda *_: "none (grading runs on the processor)"
    torch.cuda.FloatTensor, torch.cuda.LongTensor = torch.FloatTensor, torch.LongTensor
    set_device, set_type = torch.set_default_device, torch.set_default_tensor_type
    torch.set_default_device = lambda device: set_device("cpu" if _is_gpu(torch, device) else device)
    torch.set_default_tensor_type = lambda kind: set_type(
        kind.replace("torch.cuda.", "torch.") if type(kind) is str else kind
    )
    return True


def install_devices() -> bool:
    """Let the processor stand in for GPUs that are asked for; False if PyTorch is not loaded yet.

    Acts on the whole process, and makes each of PyTorch's calls some microseconds slower: a small
    transformer trains by a third longer. Only for code that asks for a GPU.
    """
    torch: Any = sys.modules.get("torch")
    if torch is None:
        return False
    if not torch.cuda.is_available():
        _enter_mode(torch, partial(_is_gpu, torch))
    return True


def _is_gpu(torch: Any, device: object) -> bool:
    if isinstance(device, torch.device):
        return bool(device.type == _DEVICE)
    return type(device) is str and device.partition(":")[0] == _DEVICE


def _enter_mode(torch: Any, is_gpu: Callable[[object], bool]) -> None:
    """Give every function of PyTorch the processor where a GPU was asked for, from now on."""
    overrides = importlib.import_module("torch.overrides")
    unchanged = (torch.Tensor.cuda, torch.Tensor.pin_memory)
    said: list[bool] = []

    def say() -> None:
        if not said:
            said.append(True)
            not_done("a GPU (cuda): it runs on the processor")

    class OnProcessor(overrides.TorchFunctionMode):  # type: ignore[name-defined, misc]  # no dependency of ours
        def __torch_function__(
            self, function: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
        ) -> Any:
            del types
            named = kwargs or {}
            if function in unchanged:
                say()
                return args[0]
            if is_gpu(named.get("device")):
                named = {**named, "device": "cpu"}
                say()
            if any(map(is_gpu, args[1:])) and function is not torch.Tensor.__format__:
                args = (args[0], *("cpu" if is_gpu(argument) else argument for argument in args[1:]))
                say()
            return function(*args, **named)

    mode: Any = OnProcessor()
    mode.__enter__()

    def here(device: Any) -> Any:
        if is_gpu(device):
            say()
        return "cpu" if is_gpu(device) else device

    torch.Generator = _generators(torch.Generator, here)  # a type, which no mode overrides


def _generators(kind: Any, here: Callable[[Any], Any]) -> Any:
    """The type of generators, made for the device that ``here`` gives."""

    class Kind(type(kind)):  # type: ignore[misc]
        def __instancecheck__(cls, value: object) -> bool:
            return isinstance(value, kind)

    class Generator(kind, metaclass=Kind):  # type: ignore[misc]
        def __new__(cls, device: Any = "cpu") -> Any:
            return kind.__new__(cls, here(device))

        def __init__(self, device: Any = "cpu") -> None:
            """Made already, for its device."""

    return Generator


def _loaded_here(load: Callable[..., Any], is_gpu: Callable[[object], bool]) -> Callable[..., Any]:
    """``torch.load`` with what was saved from a GPU put where there is one: on the processor."""

    def load_here(file: Any, map_location: Any = None, *arguments: Any, **options: Any) -> Any:
        place = "cpu" if map_location is None or is_gpu(map_location) else map_location
        return load(file, place, *arguments, **options)

    return load_here
