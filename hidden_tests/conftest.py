"""What HW3's evidence checks share: the checks of one recording, of the network or of the transformer.

Points come from what the grader computes itself (``trusted.py``), on its own copies of the data: where the
recorded seed begins, where the recorded weights end, and whether loss and weights are those of so much
training (``lines.py``). A recording that contradicts itself or its replay raises BadEvidence. What the grader
cannot compute, such as another width or wrong code, raises Undecided: a person looks. hidden_tests/README.md
says where the bounds come from.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import lines
import numpy as np
import pytest
import run_ends
import trusted

from grader import (
    BadEvidence,
    CallTimedOut,
    CheckFailed,
    Evidence,
    Recording,
    SandboxDied,
    StudentError,
    Undecided,
    UnsupportedValue,
    as_array,
    assert_counts,
    assert_curve_in_band,
    assert_curve_rough,
    assert_curves_differ,
    assert_curves_rough,
    assert_labels,
    assert_replay_agrees,
    assert_same_draws,
    copied_share,
    is_proxy,
    roughness,
    sampling_surprise,
)

HERE = Path(__file__).parent
NO_ANSWER = (StudentError, UnsupportedValue, CallTimedOut, SandboxDied)


# --- where a run begins -----------------------------------------------------------------------------------
ELSEWHERE = 1e-3  # first losses on another machine: a GPU's coarsest arithmetic changes 1e-4
ELSEWHERE_IN_NUMPY = 1e-5  # numpy knows no GPU: even float32 layers agree between processors to 1e-6
CONTRADICTED = 3  # times as far from the recorded weights' end as may be: no training ends there
EXACT = 1e-9  # float64 code that trains as correct code does stays this close in its first losses

# --- the network ------------------------------------------------------------------------------------------
OF = {"train": 10_000, "validation": 2_000, "test": 10_000}
NETWORK = {"HIDDEN": 128, "BATCH_SIZE": 5, "LEARNING_RATE": run_ends.RATE}
NETWORK_STEPS = 8
COUNTS, LOSS = 2e-4, 1e-6  # the last epoch again from float32 weights: no count differed, the loss by 1e-9
COARSE_COUNTS, COARSE_LOSS = 0.01, 0.02  # ... for float32 code; and of int8 weights: 4 of 10,000 differed
LOSS_BAND = 1e-4  # with the reference's seed: a change of 1e-15 in the weights grows to 4e-11 in 20 epochs
COARSE_BAND = {"accuracy": 0.12, "loss": 0.8}  # float32: at most 0.042 and 28 % were seen
ROUGH_ACCURACY, ROUGH_LOSS = 0.0025, 0.025  # each curve; these two lines: see evidence.calibration.json
ROUGH_TOGETHER = {"3.3.i": 0.0086, "3.4.i": 0.0195}  # all curves of an item, geometric mean

# --- the transformer --------------------------------------------------------------------------------------
STEPS, POINTS, TEXT_STEPS = 5_000, 51, 3
TRANSFORMER = {
    "EVAL_EVERY": 100,
    "EVAL_BATCHES": trusted.EVALUATED_BATCHES,
    "EVAL_USED": 200,
    "TRANSFORMER_BATCH": trusted.TEXT_BATCH,
    "TRANSFORMER_RATE": 1e-3,
    "TRANSFORMER_STEPS": STEPS,
    "EMBEDDING": 64,
    "LAYERS": 4,
}
DEVIATIONS, ROUNDING = 6, 2e-3  # of two means over drawn pieces, and what the last step and int8 change
FALLING = 5  # points that fall too steeply to show noise
ROUGH = 0.5  # of the smoother of the reference's two curves; a mean of three points leaves 0.21 to 0.38
BAND, MEAN_BAND = 0.05, 0.015  # weights changed by 1e-7 end 0.0053 away at most, 0.0021 in the mean
WRITTEN, COPIED = 200, 0.5  # characters of a text


class Run:
    """One item's recording, with its replay."""

    elsewhere = ELSEWHERE
    usual: Mapping[str, Any]
    seed_name: str

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

    def seed(self, **own: Any) -> int:
        """The recorded seed. Raises Undecided unless all parameters are those of the question."""
        recorded = self.recorded.parameters
        wanted = {**self.usual, **own}
        if other := [name for name in wanted if recorded.get(name) != wanted[name]]:
            said = ", ".join(
                f"{name} = {recorded[name]!r:.40}" if name in recorded else f"no {name}" for name in other
            )
            raise Undecided(f"recorded with {said}; the grader computes the question's own settings only")
        seed = recorded.get(self.seed_name)
        if type(seed) is not int or not 0 <= seed < 2**32:
            raise Undecided(f"the recorded {self.seed_name} is no whole number from 0 to 2**32 - 1")
        return seed

    def assert_begins(self, path: tuple[str, ...], *, steps: int, draws: Any, losses: Any) -> float:
        """The first losses and draws are those of the replay, and of the grader's own computation.

        Returns by how much, relatively, the losses differ from the computed ones.
        """
        where = (*path, "first_steps")
        name = ".".join(where)
        held = self.recorded.at(*path) if path else self.recorded.data
        if not isinstance(held, Mapping) or "first_steps" not in held:
            raise Undecided(f"no `{name}` were recorded: an older template, or none of ours")
        recorded = self.recorded.curve(*where, "losses", length=steps)
        replayed, again = self.replayed.curve(*where, "losses"), self.replayed.at(*where, "draws")
        assert_same_draws(self.recorded.at(*where, "draws"), again, name=f"{name}.draws")
        assert_replay_agrees(
            recorded,
            replayed,
            same_machine=self.evidence.same_machine,
            name=f"{name}.losses",
            elsewhere=self.elsewhere,
        )
        return gap_between(
            (self.recorded.at(*where, "draws"), recorded),
            (draws, losses),
            f"`{name}`, from the recorded seed",
        )

    def assert_trains(self, train: Callable[[], Any], *, draws: Any, losses: Any) -> None:
        """The student's own functions, called now from a seed that the grader draws, train as correct code.

        Raises Undecided otherwise: their own items say what is wrong with them.
        """
        try:
            found = train()
            steps = (found.value if is_proxy(found) else found)["first_steps"]
            mine = steps["draws"], as_array(steps["losses"], shape=(None,), name="its losses")
        except (*NO_ANSWER, CheckFailed, TypeError, KeyError, IndexError) as why:
            said = " ".join(str(why).split())[:200]
            raise Undecided(f"the notebook's code does not train when the check calls it: {said}") from None
        gap_between(mine, (draws, losses), "the notebook's code, called with a seed of the grader's")

    def whole(self, *path: str, least: int, what: str) -> Any:
        """A curve of at least ``least`` values."""
        curve = self.recorded.curve(*path)
        if len(curve) < least:
            raise BadEvidence(
                f"`{'.'.join(path)}` has {len(curve)} {what}, and the question asks for {least}"
            )
        return curve


def gap_between(found: tuple[Any, Any], computed: tuple[Any, Any], name: str) -> float:
    """By how much, relatively, first losses differ from the computed ones; Undecided if they are others.

    Each side is (draws, losses); the computed ones may be fewer.
    """
    (drawn, losses), (wanted, expected) = found, computed
    if not isinstance(drawn, list) or drawn[: len(wanted)] != wanted:
        raise Undecided(f"{name}: other random draws than those of the given code")
    with np.errstate(all="ignore"):
        gaps = np.abs(losses[: len(expected)] / expected - 1) if len(losses) >= len(expected) else np.inf
    if not np.max(gaps) <= ELSEWHERE:
        raise Undecided(f"{name}: first losses {_few(losses)}; correct code has {_few(expected)}")
    return float(np.max(gaps))


def _shares(found: Mapping[str, float], parts: Iterable[str]) -> str:
    return ", ".join(f"{part} {found[part]:.4f}" for part in parts)


def _few(values: Any) -> str:
    return ", ".join(f"{value:.6g}" for value in values[:3])


class Network(Run):
    """A recording of the network on images."""

    elsewhere = ELSEWHERE_IN_NUMPY
    usual, seed_name = NETWORK, "SEED"

    def begins(self, path: tuple[str, ...], *, alpha: float, epochs: int) -> tuple[Any, bool]:
        """Check a run's beginning. Returns what its seed draws, and whether the code trains in float64."""
        if self.recorded.parameters.get("DATA") == "subset":
            raise BadEvidence('the run was on the small set: set DATA = "full" and run everything again')
        run = trusted.NetworkRun.of(self.seed(), epochs=epochs)
        gap = self.assert_begins(path, steps=NETWORK_STEPS, **self.first_steps(run, alpha=alpha))
        return run, gap <= EXACT

    @staticmethod
    def first_steps(run: Any, *, alpha: float) -> dict[str, Any]:
        """The first draws and losses of correct code."""
        rows = run.epochs[0][: NETWORK_STEPS * trusted.BATCH].reshape(NETWORK_STEPS, -1).tolist()
        rate = NETWORK["LEARNING_RATE"]
        return {
            "draws": rows,
            "losses": trusted.first_losses(run, rate=rate, alpha=alpha, steps=NETWORK_STEPS),
        }

    def assert_own_code_trains(self, student: Any, *, alpha: float | None = None) -> None:
        """The notebook's `train`, or `train_with_momentum`, begins from a new seed as correct code does."""
        seed = int(self.evidence.rng.integers(2**32))

        def train() -> Any:
            student.SEED, student.EVAL_EXAMPLES = seed, 1
            if alpha is not None:
                return student.train_with_momentum(alpha)
            started = student.fresh_start()
            return student.train(started[0], started[1], trusted.BATCH, 1)

        run = trusted.NetworkRun.of(seed, epochs=1)
        self.assert_trains(train, **self.first_steps(run, alpha=alpha or 0.0))

    def accuracies(self, *, epochs: int) -> dict[str, Any]:
        """The three accuracy curves of 3.3.i, each over its own number of examples."""
        found = {}
        for part, of in OF.items():
            found[part] = self.whole(part, least=epochs, what="epochs")
            assert_counts(found[part], of=of, name=part)
        assert_curves_differ(found, name="the accuracies")
        return found

    def assert_last_epoch(self, curves: Mapping[str, Any], run: Any, *, exact: bool) -> None:
        """The grader's last epoch, from the recorded weights before it, ends at the curves' last values.

        Raises BadEvidence for weights that contradict the curve, and Undecided for another last epoch, as a
        falling rate makes it.
        """
        weights, epochs = run_ends.weights_in(self.recorded, (), trusted.NETWORK), len(curves["loss"])
        bounds = (COUNTS, LOSS) if exact else (COARSE_COUNTS, COARSE_LOSS)
        for place in (-2, -1):
            ends = {name: curve[place] for name, curve in curves.items()}
            name, sure = f"epoch {epochs + 1 + place}", exact and place == -2
            losses = self.assert_ends(ends, weights, name, bounds=bounds, exact=sure)
            if place == -2:
                weights = trusted.next_epoch(weights, run, epochs - 1, rate=run_ends.RATE)
        measured = {**losses, "active": trusted.active(weights)}
        if off := lines.off_the_line("3.3.i", measured, weights, run.newborn, epochs):
            raise Undecided(off)

    def assert_final(self, alpha: str, curves: Mapping[str, Any], run: Any, *, exact: bool) -> None:
        """The recorded final weights, which int8 has rounded, have the curves' last values."""
        weights = run_ends.weights_in(self.recorded, ("runs", alpha), trusted.NETWORK)
        ends = {name: curve[-1] for name, curve in curves.items()}
        bounds = (COARSE_COUNTS, COARSE_LOSS)
        losses = self.assert_ends(ends, weights, f"alpha {alpha}", bounds=bounds, exact=exact, coarse=True)
        measured, epochs = {**losses, "active": trusted.active(weights)}, len(curves["loss"])
        if off := lines.off_the_line(f"3.4.i/{alpha}", measured, weights, run.newborn, epochs):
            raise Undecided(f"alpha {alpha}: {off}")

    def assert_ends(
        self,
        ends: Mapping[str, float],
        weights: Any,
        name: str,
        *,
        bounds: tuple[float, float],
        exact: bool,
        coarse: bool = False,
    ) -> Any:
        """The recorded shares and loss are those that the grader computes of the weights; returns its losses.

        ``bounds`` are a share of the examples, and a relative difference of the loss; ``coarse`` as there.
        """
        parts = [part for part in OF if part in ends]
        needed = tuple(dict.fromkeys(["train", *parts]))
        right, losses = trusted.counts_and_loss(weights, parts=needed, coarse=coarse)
        mine = {part: right[part] / OF[part] for part in parts}
        ratios = [max(0, abs(ends[part] - mine[part]) - 0.5 / OF[part]) / bounds[0] for part in parts]
        ratios.append(abs(ends["loss"] / losses["train"] - 1) / bounds[1])
        worst = float(np.max(ratios))  # NaN if one of them is
        if not worst <= 1:
            both = (
                f"{name}: {_shares(ends, parts)}, loss {ends['loss']:.6g} were recorded; "
                f"the recorded weights have {_shares(mine, parts)}, loss {losses['train']:.6g}"
            )
            if exact and worst > CONTRADICTED:
                raise BadEvidence(both)
            raise Undecided(both)
        return losses

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

    def assert_between(self, curve: Any, name: str, *, exact: bool, key: tuple[str, ...]) -> None:
        """Between its ends a curve has the noise of training, and with the reference's seed it is its curve.

        The probability that a correct solution fails is below 1e-4 with a seed of its own (the noise, see
        evidence.calibration.json) and below 1e-5 with the reference's: rounding errors were
        measured to grow to 4e-11, ``LOSS_BAND`` is 1e-4, and float32 stays within a third of ``COARSE_BAND``.
        """
        loss = key[-1] == "loss"
        assert_curve_rough(
            noisy_part(curve, loss=loss), least=ROUGH_LOSS if loss else ROUGH_ACCURACY, name=name
        )
        if self.recorded.parameters.get("SEED") != 42:
            return
        reference = at(self.reference, key)
        if exact:
            width = LOSS_BAND * reference if loss else np.full(len(reference), 1e-4)
        else:
            width = COARSE_BAND["loss"] * reference if loss else COARSE_BAND["accuracy"]
        assert_curve_in_band(curve, reference, width=width, name=name)


def noisy_part(curve: Any, *, loss: bool) -> Any:
    """The part of a network's curve that no longer falls or rises steeply; of a loss, its logarithm."""
    return np.log(np.maximum(curve[3:], 1e-9)) if loss else curve[3:]


class Transformer(Run):
    """A recording of the transformer on text."""

    usual, seed_name = TRANSFORMER, "TRANSFORMER_SEED"

    def __init__(self, evidence: Evidence, reference: Mapping[str, Any]) -> None:
        super().__init__(evidence, reference)
        self.first = run_ends.first_of(evidence.rng)

    def assert_curves(self, path: tuple[str, ...], *, block: int, heads: int, key: tuple[str, ...]) -> Any:
        """All that one run's two loss curves must satisfy. Returns its training loss and its weights."""
        name = ".".join(path) or "the run"
        curves = {
            part: self.whole(*path, f"{short}_loss", least=POINTS, what="points")
            for part, short in (("train", "train"), ("validation", "val"))
        }
        if not len(curves["train"]) == len(curves["validation"]) == len(self.steps(path)):
            raise BadEvidence(f"{name}: steps, train_loss and val_loss have different lengths")
        assert_curves_differ(curves, name=f"{name}: the curves")
        newborn = self.begins(path, block=block, heads=heads)
        weights = run_ends.weights_in(self.recorded, path, trusted.transformer_shapes(block, heads))
        found = {}
        for part, curve in curves.items():
            found[part], spread = run_ends.loss_of(weights, part, self.first, path, block=block, heads=heads)
            pieces = TRANSFORMER["EVAL_USED"] * TRANSFORMER["TRANSFORMER_BATCH"]
            width = DEVIATIONS * spread * np.sqrt(block / run_ends.DRAWN[part] + 1 / pieces) + ROUNDING
            self.assert_ends(curve, found[part], width, f"{name}: the {part} loss")
        if off := lines.off_the_line(f"4.1/{block}/{heads}", found, weights, newborn, STEPS):
            raise Undecided(f"{name}: {off}")
        self.assert_between(curves, name=name, key=key)
        return curves["train"], weights

    def begins(self, path: tuple[str, ...], *, block: int, heads: int) -> Any:
        """Check a run's beginning. Returns the newborn weights of its seed.

        The grader computes the first loss, and the replay the following ones.
        """
        if self.recorded.parameters.get("DATA") == "subset":
            raise BadEvidence('the run was on the small text: set DATA = "full" and run everything again')
        seed = self.seed(**({} if path else {"BLOCK_SIZE": block, "N_HEADS": heads}))
        newborn, steps = trusted.first_text_steps(seed, block=block, heads=heads)
        self.assert_begins(path, steps=TEXT_STEPS, **steps)
        return newborn

    def assert_own_code_trains(self, student: Any, *, block: int, heads: int) -> None:
        """The notebook's `train_transformer` begins from a new seed as the given code does."""
        seed = int(self.evidence.rng.integers(2**31))

        def train() -> Any:  # one step: the loss before it is all that is compared
            student.TRANSFORMER_SEED = seed
            student.TRANSFORMER_STEPS = student.GENERATED_CHARACTERS = 1
            return student.train_transformer(block, heads)

        self.assert_trains(train, **trusted.first_text_steps(seed, block=block, heads=heads)[1])

    def assert_ends(self, curve: Any, mean: float, width: float, name: str) -> None:
        """The curve's last value is the weights' loss.

        A correct solution fails with a probability below 1e-8: six standard deviations of two such means.
        """
        if not abs(curve[-1] - mean) <= width:
            both = f"{name} ends at {curve[-1]:.4f}; the recorded weights have {mean:.4f} (+- {width:.4f})"
            if abs(curve[-1] - mean) > CONTRADICTED * width:
                raise BadEvidence(both)
            raise Undecided(both)

    def assert_runs(self, student: Any, runs: Mapping[str, tuple[int, int]]) -> None:
        """The curves and texts of several runs by their labels, each with its block size and its heads."""
        assert_labels(self.recorded.labels("runs"), tuple(runs), name="runs")
        texts = {label: self.recorded.text("runs", label, "text", least=WRITTEN) for label in runs}
        if len(set(texts.values())) != len(texts):
            raise BadEvidence("two runs wrote the same text")
        curves = {}
        for label, (block, heads) in runs.items():
            curves[label], weights = self.assert_curves(
                ("runs", label), block=block, heads=heads, key=(self.recorded.item, label)
            )
            self.assert_written(texts[label], weights, f"`runs.{label}.text`", block=block, heads=heads)
        assert_curves_differ(curves, name="the training losses")
        block, heads = runs[str(self.evidence.rng.choice(list(runs)))]
        self.assert_own_code_trains(student, block=block, heads=heads)

    def assert_before_and_after(self, *, block: int, heads: int) -> None:
        """Both texts of 4.1.i: one of the newborn model, one of the trained model, which 4.1.ii records.

        The first characters before training are compared with the replay only if machine and versions are
        the same: how torch turns random bits into a draw may change. A correct solution fails with a
        probability below 1e-5: in float64 and with other threads the first 60 characters were the same.
        """
        before, after = (self.recorded.text(part, least=WRITTEN) for part in ("before", "after"))
        if self.evidence.same_machine and not before.startswith(self.replayed.text("before")):
            raise BadEvidence("`before` is not what this notebook's model writes before training")
        draws = trusted.TorchDraws(self.seed(BLOCK_SIZE=block, N_HEADS=heads))
        newborn = trusted.newborn_transformer(draws, block, heads)
        self.assert_written(before, newborn, "`before`", block=block, heads=heads)
        other = self.evidence.other("4.1.ii")
        if other is None or other.parameters != self.recorded.parameters:
            raise Undecided("the weights that wrote `after` belong to 4.1.ii, which holds no such recording")
        weights = run_ends.weights_in(other, (), trusted.transformer_shapes(block, heads))
        loss, _ = run_ends.loss_of(weights, "validation", self.first, (), block=block, heads=heads)
        found = {"validation": loss}
        if off := lines.off_the_line(f"4.1/{block}/{heads}", found, weights, newborn, STEPS):
            raise Undecided(f"4.1.ii: {off}")
        self.assert_written(after, weights, "`after`", block=block, heads=heads)

    def assert_written(self, text: str, weights: Any, name: str, *, block: int, heads: int) -> None:
        """A text is what these weights write, as far as chance goes, and no copy of the training text.

        Of a text drawn from the model, the surprise is a sum of independent terms with mean 0 and known
        variance: a correct solution exceeds six standard deviations with a probability below 1e-8.
        """
        if copied_share(text, *trusted.known_texts(), length=24) >= COPIED:
            raise BadEvidence(f"{name} is a piece of the training text, not what the model wrote")
        try:
            numbers = run_ends.written_numbers(text)
        except KeyError as strange:
            raise BadEvidence(f"{name} holds {strange.args[0]!r}, which the training text does not") from None
        chances, written = run_ends.chances_of(numbers, weights, self.first, name, block=block, heads=heads)
        deviations = sampling_surprise(chances, written)
        if not abs(deviations) <= DEVIATIONS:
            both = f"{name} was not written by the recorded weights: {deviations:.1f} standard deviations"
            if deviations > CONTRADICTED * DEVIATIONS:
                raise BadEvidence(both)
            raise Undecided(both)

    def assert_between(self, curves: Mapping[str, Any], *, name: str, key: tuple[str, ...]) -> None:
        """The curves have the noise of evaluation, and with the reference's seed they are its curves."""
        own = {part: at(self.reference, (*key, part)) for part in ("train_loss", "val_loss")}
        least = ROUGH * min(roughness(curve[FALLING:]) for curve in own.values())
        for (part, expected), curve in zip(own.items(), curves.values(), strict=True):
            assert_curve_rough(curve[FALLING:], least=least, name=f"{name}: {part}")
            if self.recorded.parameters.get("TRANSFORMER_SEED") == 1337:
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


def at(table: Any, key: tuple[str, ...]) -> Any:
    """A curve of the reference."""
    for part in key:
        table = table[part]
    return np.array(table)


@pytest.fixture(scope="session")
def reference() -> Any:
    """The curves of the reference's own full run."""
    return json.loads((HERE / "reference_curves.json").read_text(encoding="utf-8"))


@pytest.fixture
def network(evidence: Evidence, reference: Any) -> Network:
    """The item's recording of the network."""
    return Network(evidence, reference)


@pytest.fixture
def transformer(evidence: Evidence, reference: Any) -> Transformer:
    """The item's recording of the transformer."""
    return Transformer(evidence, reference)
