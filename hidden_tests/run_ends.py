"""Where HW3's long runs end, as the grader computes it on data that it draws.

It takes seconds, needs the recordings alone, and so is computed ahead, while the cells run. What is drawn
depends on the first number of the check's ``rng``, and on the run and the part by name.
"""

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import trusted

from grader import BadEvidence, Recording, Undecided, unpack_weights

Array = Any
BLOCKS = {"2": (2, 4), "16": (16, 4), "64": (64, 4)}  # the runs of 4.1.iii: block size and heads
HEADS = {"2": (32, 2), "4": (32, 4), "8": (32, 8)}  # the runs of 4.1.iv
ALPHAS = ("0.1", "0.3", "0.5", "0.7", "0.9")
RATE = 0.01
DRAWN = {"train": 2_048, "validation": 8_192}  # characters on which the grader evaluates
USUAL = (32, 4)  # block size and heads of 4.1.i and 4.1.ii
MOST_EPOCHS = 100
LOOKED_AT = 200  # characters of a text whose chances are computed


def first_of(rng: np.random.Generator) -> int:
    """The first number of a check's ``rng``, from which everything here is drawn."""
    return int(rng.integers(2**63))


def draws(first: int, *names: str) -> np.random.Generator:
    """Random numbers of a check for one purpose: other purposes draw others."""
    return np.random.default_rng([first, *" ".join(names).encode()])


def loss_of(
    weights: Any, part: str, first: int, path: tuple[str, ...], *, block: int, heads: int
) -> tuple[float, float]:
    """The weights' loss on pieces that the grader draws, and how much one piece's varies."""
    drawn = draws(first, *path, part)
    starts = drawn.integers(len(trusted.corpus()[part]) - block, size=DRAWN[part] // block)
    return trusted.mean_loss(weights, part, starts, block=block, heads=heads)


def chances_of(
    numbers: Array, weights: Any, first: int, name: str, *, block: int, heads: int
) -> tuple[Array, Array]:
    """The log-probabilities of characters of a text that the grader draws, and the characters."""
    count = min(LOOKED_AT, len(numbers) - block)
    places = block + draws(first, name).choice(len(numbers) - block, count, replace=False)
    windows = numbers[places[:, None] + np.arange(-block, 0)]
    return trusted.next_chances(weights, windows, heads=heads), numbers[places]


def written_numbers(text: str) -> Array:
    """A text's characters, after the one that generation begins with. Raises KeyError for a strange one."""
    return np.concatenate([[0], trusted.numbers_of(text)])


def weights_in(recorded: Recording, path: tuple[str, ...], shapes: Mapping[str, tuple[int, ...]]) -> Any:
    """A run's recorded weights. Raises Undecided without them, or for those of another model."""
    name = ".".join((*path, "weights"))
    held = recorded.at(*path) if path else recorded.data
    if not isinstance(held, Mapping) or "weights" not in held:
        raise Undecided(f"no `{name}` were recorded, so nothing shows where the run ended")
    raw = held["weights"]
    if isinstance(raw, Mapping):  # a bias may be (n,) as well as (1, n)
        entries = {key: raw.get(key) for key in shapes}
        flat = {key for key, entry in entries.items() if isinstance(entry, Mapping) and _is_vector(entry)}
        shapes = {key: shape[1:] if key in flat and shape[0] == 1 else shape for key, shape in shapes.items()}
    try:
        return unpack_weights(raw, shapes=shapes, name=f"`{name}`")
    except BadEvidence as why:
        raise Undecided(str(why)) from None


def _is_vector(entry: Mapping[str, Any]) -> bool:
    shape = entry.get("shape")
    return isinstance(shape, list) and len(shape) == 1


# -- ahead -------------------------------------------------------------------------------------------------


def compute(recordings: Mapping[str, Any], rng_of: Callable[[str], np.random.Generator]) -> None:
    """Compute what the checks will ask of these recordings; what is wrong with one, its check says."""
    for item, own in AHEAD.items():
        for found in recordings.get(item, ())[:1]:
            with contextlib.suppress(BadEvidence, Undecided, KeyError, TypeError, ValueError):
                own(Recording.of(found), recordings, rng_of)


def last_epoch(found: Recording, *_: object) -> None:
    """3.3.i: the recorded weights, and those of the epoch after them."""
    weights, epochs = weights_in(found, (), trusted.NETWORK), len(found.curve("loss"))
    if epochs > MOST_EPOCHS:
        return
    run = trusted.NetworkRun.of(found.parameters["SEED"], epochs=epochs)
    for place in (-2, -1):
        trusted.counts_and_loss(weights, parts=("train", "validation", "test"))
        if place == -2:
            weights = trusted.next_epoch(weights, run, epochs - 1, rate=RATE)
    trusted.active(weights)


def final_weights(found: Recording, *_: object) -> None:
    """3.4.i: the weights with which each run ended."""
    for alpha in ALPHAS:
        weights = weights_in(found, ("runs", alpha), trusted.NETWORK)
        trusted.counts_and_loss(weights, parts=("train", "validation"), coarse=True)
        trusted.active(weights)


def one_transformer(found: Recording, _: object, rng_of: Callable[[str], np.random.Generator]) -> None:
    """4.1.ii: the ends of the run."""
    weights = weights_in(found, (), trusted.transformer_shapes(*USUAL))
    both_ends(found, weights, first_of(rng_of("test_4_1_ii.py::test_loss_curve")), (), USUAL)


def runs_of(check: str, runs: Mapping[str, tuple[int, int]]) -> Callable[..., None]:
    """4.1.iii and iv: the ends of several runs, and their texts."""

    def ahead(found: Recording, _: object, rng_of: Callable[[str], np.random.Generator]) -> None:
        first = first_of(rng_of(check))
        for label, (block, heads) in runs.items():
            path = ("runs", label)
            weights = weights_in(found, path, trusted.transformer_shapes(block, heads))
            both_ends(found, weights, first, path, (block, heads))
            numbers = written_numbers(found.text(*path, "text"))
            chances_of(numbers, weights, first, f"`runs.{label}.text`", block=block, heads=heads)

    return ahead


def before_and_after(
    found: Recording, recordings: Mapping[str, Any], rng_of: Callable[[str], np.random.Generator]
) -> None:
    """4.1.i: what the newborn model and that of 4.1.ii have written."""
    (block, heads), first = USUAL, first_of(rng_of("test_4_1_i_generation.py::test_texts"))
    newborn = trusted.newborn_transformer(
        trusted.TorchDraws(found.parameters["TRANSFORMER_SEED"]), block, heads
    )
    chances_of(written_numbers(found.text("before")), newborn, first, "`before`", block=block, heads=heads)
    weights = weights_in(Recording.of(recordings["4.1.ii"][0]), (), trusted.transformer_shapes(block, heads))
    loss_of(weights, "validation", first, (), block=block, heads=heads)
    chances_of(written_numbers(found.text("after")), weights, first, "`after`", block=block, heads=heads)


def both_ends(
    found: Recording, weights: Any, first: int, path: tuple[str, ...], sizes: tuple[int, int]
) -> None:
    """Where the run's seed begins, and both parts' losses at its end."""
    block, heads = sizes
    trusted.first_text_steps(found.parameters["TRANSFORMER_SEED"], block=block, heads=heads)
    for part in DRAWN:
        loss_of(weights, part, first, path, block=block, heads=heads)


AHEAD: dict[str, Callable[..., None]] = {
    "3.3.i": last_epoch,
    "3.4.i": final_weights,
    "4.1.i.generation": before_and_after,
    "4.1.ii": one_transformer,
    "4.1.iii.curves": runs_of("test_4_1_iii_curves.py::test_block_sizes", BLOCKS),
    "4.1.iv.curves": runs_of("test_4_1_iv_curves.py::test_heads", HEADS),
}
