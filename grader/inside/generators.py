"""Every generator of random numbers that student code draws from, started from one seed."""

from __future__ import annotations

import contextlib
import random
import sys
from collections.abc import Iterator
from typing import Any


def seed_all(seed: int) -> None:
    """Seed random, numpy and torch, as far as they are loaded.

    For numpy that is the legacy generator, and the bits that a Generator without a seed (``default_rng()``)
    asks the machine for: a check that fails must fail again.
    """
    random.seed(seed)
    numpy = sys.modules.get("numpy")
    if numpy is not None:
        numpy.random.seed(seed % (1 << 32))
        _set_entropy(random.Random(f"numpy {seed}").getrandbits)  # noqa: S311  # no secret, the reverse of one
    torch = sys.modules.get("torch")
    if torch is not None:
        _seed_torch(torch, seed)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Afterwards all generators go on as if nothing in here had been drawn or seeded."""
    plain = random.getstate()
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    legacy = numpy.random.get_state() if numpy is not None else None
    entropy = getattr(sys.modules.get("numpy.random.bit_generator"), "randbits", None)
    own = getattr(entropy, "__self__", None)
    of_own = own.getstate() if type(own) is random.Random else None  # else the machine's, which has no state
    of_torch = torch.get_rng_state() if torch is not None else None
    try:
        yield
    finally:
        random.setstate(plain)
        if numpy is not None:
            numpy.random.set_state(legacy)
            _set_entropy(entropy)
        if type(own) is random.Random and of_own is not None:
            own.setstate(of_own)
        if torch is not None:
            torch.set_rng_state(of_torch)


def _seed_torch(torch: Any, seed: int) -> None:
    """As torch.manual_seed, which notes a traceback for each kind of device there is: 2 ms in a new fork."""
    accelerator = getattr(torch, "accelerator", None)  # since torch 2.6
    if accelerator is None or accelerator.current_accelerator() is not None:
        torch.manual_seed(seed)
    else:
        torch.default_generator.manual_seed(seed)


def _set_entropy(source: object) -> None:
    """Replace the function that numpy asks for bits if no seed is given; does nothing if it has none."""
    module = sys.modules.get("numpy.random.bit_generator")
    if module is not None and hasattr(module, "randbits"):
        module.randbits = source  # type: ignore[attr-defined]  # its own import of secrets.randbits
