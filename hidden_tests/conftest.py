"""What HW3's evidence checks share: the checks of one recording, of the network or of the transformer.

A recording is first compared with its replay: the notebook's own code on the recorded mini-batches. Then it
must look like learning. If the code trains as the reference does (its first losses are the reference's), the
whole curve must be the reference's too, as closely as calibration says. Wrong code with an honest recording
is not compared with the reference: its own items say what is wrong with it.
"""

import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from grader import (
    BadEvidence,
    Evidence,
    ImageBatches,
    LetterPairs,
    Recording,
    TextBatches,
    assert_counts,
    assert_curve_ends_above,
    assert_curve_falls,
    assert_curve_in_band,
    assert_curve_rises_to,
    assert_curve_rough,
    assert_curve_starts_near,
    assert_curves_differ,
    assert_curves_rough,
    assert_labels,
    assert_made_of,
    assert_reads_better,
    assert_reads_like,
    assert_replay_agrees,
    assert_same_draws,
    roughness,
    shingle_hits,
    window_sums,
)

HERE = Path(__file__).parent
EXAMPLES, VALIDATION, TEST = 10_000, 2_000, 10_000
CHARACTERS, TRAINING_PART = 1_115_394, 0.9
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
PIXELS, CLASSES, IMAGE_BATCHES, TEXT_BATCHES = 784, 10, 8, 3

# --- first losses, replayed on another machine than the student's ------------------------------------------
ELSEWHERE = 1e-3  # a GPU's coarsest arithmetic changes 1e-4
ELSEWHERE_IN_NUMPY = 1e-5  # numpy knows no GPU: even float32 layers agree between processors to 1e-6

# --- the network: bounds and where they come from (see hidden_tests/README.md) ------------------------------
LEARNS = 0.5  # training accuracy: 0.79 after one epoch; 0.1 is chance
LOSS_FALLS = 0.1  # the reference's falls by 0.7; with gradients divided once more by n it falls by 0.56
EXACT = 1e-9  # float64 code that trains as the reference stays this close in its first losses
LOSS_BAND = 1e-4  # ... and ends this close: a change of 1e-15 in the weights grows to 4e-11 in 20 epochs
ROUGH_ACCURACY, ROUGH_LOSS = 0.0025, 0.025  # each curve; these two lines: see evidence.calibration.json
ROUGH_TOGETHER = {"3.3.i": 0.0086, "3.4.i": 0.0195}  # all curves of an item, geometric mean
COARSE_BAND = {"accuracy": 0.12, "loss": 0.8}  # float32: at most 0.042 and 28 % were seen

# --- the transformer ----------------------------------------------------------------------------------------
STEPS, POINTS = 5_000, 51
PER_CHARACTER = 1.0  # how much one character's loss varies before training, in nats: 0.60 was seen
FALLS = 0.3  # 4.4 to 2.4 with block size 2, to 1.8 with 32
GAP = -0.03  # validation above training loss: 0.16 with block size 32, 0.02 with 2
USUAL = {
    "EVAL_EVERY": 100,
    "EVAL_BATCHES": 200,
    "EVAL_USED": 200,
    "TRANSFORMER_BATCH": 16,
    "TRANSFORMER_RATE": 1e-3,
}
FALLING = 5  # points that fall too steeply to show noise
ROUGH = 0.5  # of the smoother of the reference's two curves; a mean of three points leaves 0.21 to 0.38
BAND, MEAN_BAND = 0.05, 0.015  # weights changed by 1e-7 end 0.0053 away at most, 0.0021 in the mean
WRITTEN, SURPRISE, BETTER = 200, 4.0, 1.0  # characters; nats a character (see LetterPairs)
SHINGLE, ONE_IN, LOOKED_AT, COPIED = 24, 32, 4, 0.5


class Run:
    """One item's recording, with its replay."""

    elsewhere = ELSEWHERE

    def __init__(self, evidence: Evidence, reference: Mapping[str, Any]) -> None:
        self.evidence, self.reference = evidence, reference
        self.recorded = evidence.recorded

    @property
    def replayed(self) -> Recording:
        """What the cells recorded during grading. Raises BadEvidence if they recorded nothing."""
        found = self.evidence.replayed
        if found is None:
            raise BadEvidence(
                "the cell that records this recorded nothing when the notebook was run from top to bottom"
            )
        return found

    def assert_begins(self, path: tuple[str, ...], parts: tuple[str, ...], *, batches: int) -> None:
        """The first losses and draws are those of the replay."""
        where = (*path, "beginning")
        name = ".".join(where)
        recorded = self.recorded.curve(*where, "losses", length=batches)
        replayed = self.replayed.curve(*where, "losses")
        for part in parts:
            assert_same_draws(
                self.recorded.at(*where, part), self.replayed.at(*where, part), name=f"{name}.{part}"
            )
        same = self.evidence.same_machine
        assert_replay_agrees(
            recorded, replayed, same_machine=same, name=f"{name}.losses", elsewhere=self.elsewhere
        )

    def whole(self, *path: str, least: int, what: str) -> Any:
        """A curve of at least ``least`` values."""
        curve = self.recorded.curve(*path)
        if len(curve) < least:
            raise BadEvidence(
                f"`{'.'.join(path)}` has {len(curve)} {what}, and the question asks for {least}"
            )
        return curve


class Network(Run):
    """A recording of the network on images."""

    elsewhere = ELSEWHERE_IN_NUMPY

    def first_batches(self, path: tuple[str, ...], *, alpha: float) -> str:
        """Compare the first mini-batches with the replay. Returns how the code trains beside correct code.

        "exact": the same losses in float64; "alike": the same in coarser arithmetic; "other": other losses
        or other settings.
        """
        found = ImageBatches.of(self.recorded.at(*path, "beginning"), pixels=PIXELS, classes=CLASSES)
        if found.examples != EXAMPLES:
            raise BadEvidence(
                f'the run was on {found.examples:,} examples: set DATA = "full" and run everything again'
            )
        found.assert_images()
        self.assert_begins(path, ("rows", "labels"), batches=IMAGE_BATCHES)
        seed, rate = self.recorded.parameters.get("SEED"), self.recorded.parameters.get("LEARNING_RATE")
        if type(seed) is not int or not 0 <= seed < 2**32 or rate != 0.01 or len(found.rows) != 40:
            return "other"
        gap = np.max(np.abs(found.losses / correct_losses(found, seed=seed, rate=rate, alpha=alpha) - 1))
        return "exact" if gap <= EXACT else "alike" if gap <= ELSEWHERE else "other"

    def assert_learns(self, loss: Any, name: str) -> None:
        """The training loss falls. A correct solution's always does, and so does that of most wrong ones."""
        assert_curve_falls(loss, by=LOSS_FALLS, name=name)

    def accuracies(self, *, epochs: int) -> dict[str, Any]:
        """The three accuracy curves of 3.3.i, each over its own number of examples."""
        found = {}
        for part, of in (("train", EXAMPLES), ("validation", VALIDATION), ("test", TEST)):
            found[part] = self.whole(part, least=epochs, what="epochs")
            assert_counts(found[part], of=of, name=part)
        assert_curves_differ(found, name="the accuracies")
        assert_curve_rises_to(found["train"], least=LEARNS, name="the training accuracy")
        return found

    def assert_curves_rough(self, *, accuracies: Iterable[Any], losses: Iterable[Any]) -> None:
        """All curves of an item together have the noise of training.

        Their mean roughness varies less from seed to seed than each curve's: one seed's runs are noisy or
        quiet together. A correct solution fails with a probability below 1e-4: evidence.calibration.json.
        """
        parts = [noisy_part(curve, loss=False) for curve in accuracies]
        parts += [noisy_part(curve, loss=True) for curve in losses]
        assert_curves_rough(
            parts, least=ROUGH_TOGETHER[self.recorded.item], name="the recorded curves together"
        )

    def assert_follows_reference(self, curve: Any, name: str, *, kind: str, key: tuple[str, ...]) -> None:
        """If the code trains as the reference does, from its seed, the whole curve is the reference's.

        The probability that a correct solution fails is below 1e-4 with a seed of its own (the noise, see
        evidence.calibration.json) and below 1e-5 with the reference's: rounding errors were
        measured to grow to 4e-11, ``LOSS_BAND`` is 1e-4, and float32 stays within a third of ``COARSE_BAND``.
        """
        loss = key[-1] == "loss"
        if kind == "other":
            return
        assert_curve_rough(
            noisy_part(curve, loss=loss), least=ROUGH_LOSS if loss else ROUGH_ACCURACY, name=name
        )
        if self.recorded.parameters.get("SEED") != 42:
            return
        reference = at(self.reference, key)
        if kind == "exact":
            width = LOSS_BAND * reference if loss else np.full(len(reference), 1e-4)
        else:
            width = COARSE_BAND["loss"] * reference if loss else COARSE_BAND["accuracy"]
        assert_curve_in_band(curve, reference, width=width, name=name)


def noisy_part(curve: Any, *, loss: bool) -> Any:
    """The part of a network's curve that no longer falls or rises steeply; of a loss, its logarithm."""
    return np.log(np.maximum(curve[3:], 1e-9)) if loss else curve[3:]


def correct_losses(found: ImageBatches, *, seed: int, rate: float, alpha: float) -> Any:
    """The losses of correct code with this seed on these mini-batches, in float64."""
    random = np.random.RandomState(seed)
    random.permutation(found.examples)
    w = [random.normal(0, 0.1, shape) for shape in ((PIXELS, 128), (1, 128), (128, CLASSES), (1, CLASSES))]
    v = [np.zeros_like(array) for array in w]
    losses = []
    for rows in np.array_split(np.arange(len(found.rows)), len(found.losses)):
        x, y = found.pixels[rows] / 255.0, np.array(found.labels)[rows]
        a = x @ w[0] + w[1]
        h = a * (a > 0)
        z = h @ w[2] + w[3]
        z = z - z.max(axis=1, keepdims=True)
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
        losses.append(-log_p[np.arange(len(y)), y].mean())
        g = (np.exp(log_p) - np.eye(CLASSES)[y]) / len(y)
        back = g @ w[2].T * (a > 0)
        for number, gradient in enumerate(
            [x.T @ back, back.sum(0, keepdims=True), h.T @ g, g.sum(0, keepdims=True)]
        ):
            v[number] = alpha * v[number] + gradient
            w[number] = w[number] - rate * v[number]
    return np.array(losses)


class Transformer(Run):
    """A recording of the transformer on text."""

    def __init__(self, evidence: Evidence, reference: Mapping[str, Any], pairs: LetterPairs) -> None:
        super().__init__(evidence, reference)
        self.pairs = pairs

    def assert_curves(self, path: tuple[str, ...], *, block: int, key: tuple[str, ...]) -> tuple[Any, Any]:
        """All that one run's two loss curves must satisfy; returns them."""
        name = ".".join(path) or "the run"
        steps = self.steps(path)
        train, validation = (
            self.whole(*path, part, least=POINTS, what="points") for part in ("train_loss", "val_loss")
        )
        if not len(train) == len(validation) == len(steps):
            raise BadEvidence(f"{name}: steps, train_loss and val_loss have different lengths")
        found = self.first_batches(path, block=block)
        spread = (
            6 * PER_CHARACTER * np.sqrt(1 / sum(map(len, found.pieces[: len(found.pieces) // TEXT_BATCHES])))
        )
        for curve, part in ((train, "train_loss"), (validation, "val_loss")):
            assert_curve_starts_near(curve, float(found.losses[0]), within=spread, name=f"{name}: {part}")
            assert_curve_falls(curve, by=FALLS, name=f"{name}: {part}")
        assert_curves_differ({"train_loss": train, "val_loss": validation}, name=f"{name}: the curves")
        assert_curve_ends_above(validation, train, by=GAP, name=name)
        self.assert_follows_reference(
            found, {"train_loss": train, "val_loss": validation}, name=name, key=key
        )
        return train, validation

    def assert_runs(self, blocks: Mapping[str, int]) -> None:
        """The curves and texts of several runs, by their labels, each with its block size."""
        assert_labels(self.recorded.labels("runs"), tuple(blocks), name="runs")
        curves, texts = {}, {}
        for label, block in blocks.items():
            curves[label], _ = self.assert_curves(
                ("runs", label), block=block, key=(self.recorded.item, label)
            )
            alphabet = self.recorded.text("runs", label, "beginning", "alphabet")
            texts[label] = self.written("runs", label, "text", alphabet=alphabet)
        assert_curves_differ(curves, name="the training losses")
        if len(set(texts.values())) != len(texts):
            raise BadEvidence("two runs wrote the same text")

    def assert_before_and_after(self) -> None:
        """Both texts of 4.1.i: the first is what this model writes before training, the second reads better.

        The first characters before training are compared only if machine and versions are the same: how torch
        turns random bits into a draw may change. A correct solution fails with a probability below 1e-5: in
        float64 and with other threads the first 60 characters were the same (six models).
        """
        before, after = (self.recorded.text(part, least=WRITTEN) for part in ("before", "after"))
        replayed = self.replayed.text("before")
        if self.evidence.same_machine and not before.startswith(replayed):
            raise BadEvidence("`before` is not what this notebook's model writes before training")
        self.written("after", alphabet=ALPHABET)
        assert_made_of(before, ALPHABET, name="`before`")
        assert_reads_better(before, after, self.pairs, by=BETTER)

    def assert_follows_reference(
        self, found: TextBatches, curves: Mapping[str, Any], *, name: str, key: tuple[str, ...]
    ) -> None:
        """The curves have the noise of evaluation, and are the reference's if the run begins as it does."""
        usual = all(self.recorded.parameters.get(name) == value for name, value in USUAL.items())
        if not usual:
            return
        own = [at(self.reference, (*key, part)) for part in curves]
        least = ROUGH * min(roughness(curve[FALLING:]) for curve in own)
        for part, curve in curves.items():
            assert_curve_rough(curve[FALLING:], least=least, name=f"{name}: {part}")
        begun = at(self.reference, (*key, "losses"))
        if np.max(np.abs(found.losses / begun - 1)) > ELSEWHERE:
            return
        for part, curve in curves.items():
            expected = at(self.reference, (*key, part))
            assert_curve_in_band(
                curve, expected, width=BAND, root_mean_square=MEAN_BAND, name=f"{name}: {part}"
            )

    def steps(self, path: tuple[str, ...]) -> Any:
        """The steps of the points: those that the recorded parameters give, up to at least 5000."""
        steps = self.whole(*path, "steps", least=POINTS, what="points")
        wanted, every = (self.recorded.parameters.get(name) for name in ("TRANSFORMER_STEPS", "EVAL_EVERY"))
        if type(wanted) is not int or type(every) is not int or not 0 < every <= wanted <= 10**7:
            raise BadEvidence("the recorded TRANSFORMER_STEPS and EVAL_EVERY make no sense")
        if wanted < STEPS:
            raise BadEvidence(f"the run had {wanted:,} steps, and the question asks for {STEPS:,}")
        expected = [step for step in range(wanted) if step % every == 0 or step == wanted - 1]
        if list(steps) != expected:
            raise BadEvidence("`steps` are not those that the recorded TRANSFORMER_STEPS and EVAL_EVERY give")
        return steps

    def first_batches(self, path: tuple[str, ...], *, block: int) -> TextBatches:
        """Compare the first mini-batches with the replay, and their text with the known one."""
        name = ".".join(path) or "the run"
        found = TextBatches.of(self.recorded.at(*path, "beginning"), share=TRAINING_PART)
        if found.characters != CHARACTERS:
            raise BadEvidence(
                f'the run was on a text of {found.characters:,} characters: set DATA = "full" and run again'
            )
        if len(found.pieces[0]) != block + 1:
            raise BadEvidence(
                f"{name}: the run looks back {len(found.pieces[0]) - 1} characters, not {block}"
            )
        assert_reads_like(
            "".join(found.pieces), self.pairs, at_most=SURPRISE, name=f"{name}: the recorded text"
        )
        self.assert_begins(path, ("starts",), batches=TEXT_BATCHES)
        assert_same_draws(
            self.recorded.at(*path, "parameter_count"),
            self.replayed.at(*path, "parameter_count"),
            name=f"{name}: parameter_count",
        )
        return found

    def written(self, *path: str, alphabet: str) -> str:
        """A text that the trained model wrote: the right characters, in a likely order, and not a copy."""
        name = "`" + ".".join(path) + "`"
        text = self.recorded.text(*path, least=WRITTEN)
        assert_made_of(text, alphabet, name=name)
        assert_reads_like(text, self.pairs, at_most=SURPRISE, name=name)
        looked_at, hits = shingle_hits(text, shingles(), length=SHINGLE, one_in=ONE_IN)
        if looked_at >= LOOKED_AT and hits >= COPIED * looked_at:
            raise BadEvidence(f"{name} is a piece of the training text, not what the model wrote")
        return text


def at(table: Any, key: tuple[str, ...]) -> Any:
    """A curve of the reference."""
    for part in key:
        table = table[part]
    return np.array(table)


@functools.cache
def shingles() -> frozenset[int]:
    """About one in 32 windows of 24 characters of tiny Shakespeare and of Macbeth, by its CRC-32."""
    kept = np.fromfile(HERE / "tiny_shakespeare.crc32", dtype="<u4").tolist()
    return frozenset(kept + window_sums(macbeth(), length=SHINGLE, one_in=ONE_IN))


def macbeth() -> str:
    """The embedded play, which students have as well."""
    return (HERE.parent / "reference/data/macbeth.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="session")
def reference() -> Any:
    """The curves of the reference's own full run."""
    return json.loads((HERE / "reference_curves.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def pairs() -> LetterPairs:
    """The statistics of Shakespeare's pairs of characters, from the embedded Macbeth."""
    return LetterPairs.of(macbeth())


@pytest.fixture
def network(evidence: Evidence, reference: Any) -> Network:
    """The item's recording of the network."""
    return Network(evidence, reference)


@pytest.fixture
def transformer(evidence: Evidence, reference: Any, pairs: LetterPairs) -> Transformer:
    """The item's recording of the transformer."""
    return Transformer(evidence, reference, pairs)
