"""Where the short run of a submission's cells begins: at the first mini-batches that its own evidence holds.

``record`` kept them, with their positions in the training set and in the text. The sandbox trains on these
few, with the recorded seed and sizes, so that its first losses must be the recorded ones. An item whose
recording does not fit is left out here; its own check says why.
"""

import base64
import json
import math
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

from grader import BadEvidence, Beginning, Claim
from grader.checks.first_batches import Pictures, Pieces

PIXELS, CLASSES, TRAINING_PART = 784, 10, 0.9
PICTURE_RUNS = {"3.3.i": (), "3.4.i": ("0.1", "0.3", "0.5", "0.7", "0.9")}
TEXT_RUNS = {
    "4.1.i.generation": (),
    "4.1.ii": (),
    "4.1.iii.curves": ("2", "16", "64"),
    "4.1.iv.curves": ("2", "4", "8"),
}
CHARACTERS = 1_115_394
ALPHABET = "\n !$&',-.3:;?ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
GENERATED = 12  # characters that each model writes before its training: enough to know it by

# What decides which random numbers are drawn and how far a step goes, and what it may be: a hostile number
# must not cost the whole run. A value out of range is left as it stands in the notebook.
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
OF_PICTURES = {"SEED", "LEARNING_RATE", "BATCH_SIZE"}


def prepare(claims: Mapping[str, tuple[Mapping[str, Any], ...]]) -> Beginning:
    """The budget and the data that the recorded runs began with; an empty one where nothing is recorded."""
    budget: dict[str, Any] = {}
    document: dict[str, Any] = {}
    if images := merged_pictures(claims):
        document["images"] = images
        budget |= recorded(claims, PICTURE_RUNS, OF_PICTURES)
    if text := merged_text(claims):
        document["text"] = text
        budget |= recorded(claims, TEXT_RUNS, set(RANGES) - OF_PICTURES)
    if not document:
        return Beginning()
    budget |= {"DATA": "beginning", "GENERATED_CHARACTERS": GENERATED}
    return Beginning(budget=budget, prelude=f"import utils\nutils.use_beginning({json.dumps(document)!r})")


def beginnings(
    claims: Mapping[str, tuple[Mapping[str, Any], ...]], runs: Mapping[str, tuple[str, ...]]
) -> Iterator[Any]:
    """Every recorded ``beginning`` of these items, whatever it holds."""
    for item, labels in runs.items():
        for recording in claims.get(item, ()):
            data = recording.get("data")
            table = data if isinstance(data, dict) else {}
            held = table.get("runs")
            for run in (
                [table]
                if not labels
                else [held.get(label) for label in labels]
                if isinstance(held, dict)
                else []
            ):
                if isinstance(run, dict) and "beginning" in run:
                    yield run["beginning"]


def merged_pictures(claims: Mapping[str, tuple[Mapping[str, Any], ...]]) -> dict[str, Any]:
    """The pictures of all runs by their rows, without runs of other sets or that contradict."""
    rows: dict[int, tuple[int, bytes]] = {}
    examples = 0
    for data in beginnings(claims, PICTURE_RUNS):
        try:
            found = Pictures.of(data, pixels=PIXELS, classes=CLASSES)
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


def merged_text(claims: Mapping[str, tuple[Mapping[str, Any], ...]]) -> dict[str, Any]:
    """The pieces of all runs. Runs on another text, or whose pieces contradict earlier ones, are left out."""
    known: dict[int, str] = {}
    pieces: dict[int, str] = {}
    first: Pieces | None = None
    for data in beginnings(claims, TEXT_RUNS):
        try:
            found = Pieces.of(data, share=TRAINING_PART)
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
        told = any(claims.get(item) for item in TEXT_RUNS)
        return {"characters": CHARACTERS, "alphabet": ALPHABET, "pieces": []} if told else {}
    return {"characters": first.characters, "alphabet": first.alphabet, "pieces": list(pieces.items())}


def recorded(
    claims: Mapping[str, tuple[Mapping[str, Any], ...]], runs: Mapping[str, tuple[str, ...]], names: set[str]
) -> dict[str, Any]:
    """These parameters as the first readable recording of these items has them, where they make sense."""
    for item in runs:
        for recording in claims.get(item, ()):
            try:
                parameters = Claim.of(recording).parameters
            except BadEvidence:
                continue
            return {name: parameters[name] for name in sorted(names) if usable(name, parameters.get(name))}
    return {}


def usable(name: str, value: object) -> bool:
    """Whether a value is a number of the right kind, within its range."""
    kinds = (int,) if name in WHOLE else (int, float)
    low, high = RANGES[name]
    return type(value) in kinds and math.isfinite(value) and low <= value <= high  # type: ignore[arg-type,operator]  # a number by now
