"""How HW3's long runs are replayed: on the first mini-batches of each, which the submission recorded.

``record`` kept them with their positions in the training set and in the text. The sandbox trains on these few
with the recorded seed and sizes, so its first losses must be the recorded ones. A recording that cannot be
used is left out here; its own check says why.
"""

import base64
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from grader import BadEvidence, ImageBatches, Recording, Replay, TextBatches

Recordings = Mapping[str, tuple[Mapping[str, Any], ...]]
"""The raw recordings of each item."""
Runs = Mapping[str, tuple[str, ...]]
"""The labels of each item's runs; none where the recording is of one run."""

PIXELS, CLASSES, TRAINING_PART = 784, 10, 0.9
IMAGE_RUNS = {"3.3.i": (), "3.4.i": ("0.1", "0.3", "0.5", "0.7", "0.9")}
TEXT_RUNS = {
    "4.1.i.generation": (),
    "4.1.ii": (),
    "4.1.iii.curves": ("2", "16", "64"),
    "4.1.iv.curves": ("2", "4", "8"),
}
CHARACTERS = 1_115_394
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GENERATED = 12  # characters that each model writes before its training: enough to know it by

# The parameters that decide which random numbers are drawn and how far a step goes, with their ranges: a
# hostile number must not cost the whole run. One out of range is left as it is in the notebook.
RANGES: dict[str, tuple[float, float]] = {
    "SEED": (0, 2**32 - 1),
    "TRANSFORMER_SEED": (0, 2**53),
    "LEARNING_RATE": (1e-9, 10.0),
    "TRANSFORMER_RATE": (1e-9, 10.0),
    "BATCH_SIZE": (1, 1_000),
    "TRANSFORMER_BATCH": (1, 64),
    "EVAL_EVERY": (1, 100_000),
    "EVAL_BATCHES": (1, 1_000),
}
WHOLE = set(RANGES) - {"LEARNING_RATE", "TRANSFORMER_RATE"}
OF_IMAGES = {"SEED", "LEARNING_RATE", "BATCH_SIZE"}


def prepare(recordings: Recordings) -> Replay:
    """The budget and the data that the recorded runs began with; an empty replay if nothing was recorded."""
    budget: dict[str, Any] = {}
    document: dict[str, Any] = {}
    if images := merged_images(recordings):
        document["images"] = images
        budget |= recorded(recordings, IMAGE_RUNS, OF_IMAGES)
    if text := merged_text(recordings):
        document["text"] = text
        budget |= recorded(recordings, TEXT_RUNS, set(RANGES) - OF_IMAGES)
    if not document:
        return Replay()
    budget |= {"DATA": "beginning", "GENERATED_CHARACTERS": GENERATED}
    return Replay(budget=budget, prelude=f"import utils\nutils.use_beginning({json.dumps(document)!r})")


def first_batches(recordings: Recordings, runs: Runs) -> Iterator[Any]:
    """The ``beginning`` of every recorded run of these items, unread."""
    for item, labels in runs.items():
        for recording in recordings.get(item, ()):
            for run in runs_of(recording.get("data"), labels):
                if isinstance(run, dict) and "beginning" in run:
                    yield run["beginning"]


def runs_of(data: Any, labels: tuple[str, ...]) -> list[Any]:
    """The runs in one recording's data: the data itself, or what stands under these labels of its runs."""
    if not labels or not isinstance(data, dict):
        return [data]
    runs = data.get("runs")
    return [runs.get(label) for label in labels] if isinstance(runs, dict) else []


def merged_images(recordings: Recordings) -> dict[str, Any]:
    """The images of all runs by their rows, without runs on other sets or that contradict earlier ones."""
    rows: dict[int, tuple[int, bytes]] = {}
    examples = 0
    for data in first_batches(recordings, IMAGE_RUNS):
        try:
            found = ImageBatches.of(data, pixels=PIXELS, classes=CLASSES)
        except BadEvidence:
            continue
        mine = {
            row: (label, picture.tobytes())
            for row, label, picture in zip(found.rows, found.labels, found.pixels, strict=True)
        }
        if found.examples == (examples or found.examples) and all(
            rows.get(row, own) == own for row, own in mine.items()
        ):
            examples = found.examples
            rows |= mine
    if not rows:
        return {}
    packed = zlib.compress(b"".join(picture for _, picture in rows.values()))
    return {
        "examples": examples,
        "rows": list(rows),
        "labels": [label for label, _ in rows.values()],
        "pixels": base64.b64encode(packed).decode(),
    }


def merged_text(recordings: Recordings) -> dict[str, Any]:
    """The pieces of all runs; a run on another text, or one that contradicts earlier ones, is left out."""
    known: dict[int, str] = {}
    pieces: dict[int, str] = {}
    first: TextBatches | None = None
    for data in first_batches(recordings, TEXT_RUNS):
        try:
            found = TextBatches.of(data, share=TRAINING_PART)
            first = first or found
            if (found.characters, found.alphabet) != (first.characters, first.alphabet):
                continue
            found.add_to(known)
        except BadEvidence:
            continue
        for start, piece in zip(found.starts, found.pieces, strict=True):
            if len(piece) > len(pieces.get(start, "")):
                pieces[start] = piece
    if first is None:
        recorded_at_all = any(recordings.get(item) for item in TEXT_RUNS)
        return {"characters": CHARACTERS, "alphabet": ALPHABET, "pieces": []} if recorded_at_all else {}
    return {"characters": first.characters, "alphabet": first.alphabet, "pieces": list(pieces.items())}


def recorded(
    recordings: Recordings,
    runs: Runs,
    names: set[str],
) -> dict[str, Any]:
    """These parameters from the first readable recording of these items, as far as they are usable."""
    for item in runs:
        for recording in recordings.get(item, ()):
            try:
                parameters = Recording.of(recording).parameters
            except BadEvidence:
                continue
            return {name: parameters[name] for name in sorted(names) if usable(name, parameters.get(name))}
    return {}


def usable(name: str, value: object) -> bool:
    """Whether a value is a number of the right kind, within its range."""
    kinds = (int,) if name in WHOLE else (int, float)
    low, high = RANGES[name]
    return type(value) in kinds and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type,operator]  # a number by now
