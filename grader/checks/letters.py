"""Did a model write this text? Its own chances say, and what is copied is found in the known texts."""

from __future__ import annotations

import numpy as np

from grader.checks.arrays import Array


def sampling_surprise(log_chances: Array, written: Array) -> float:
    """How many standard deviations a text lies from what a model expects of its own texts.

    ``log_chances`` (N, C) are the logarithms of the chances that the model gives each character at N places,
    after what stands before them, ``written`` (N,) the numbers of those that stand there. In a text drawn
    from the model, -log P - H has mean 0 at each place, whatever came before, and the variance that its own
    chances have, so the sum divided by the root of all variances is nearly standard normal for N of 50 or
    more. Letters drawn by chance, or from another model, have a large positive result; a text of the most
    likely characters a large negative one.
    """
    logs = np.asarray(log_chances, np.float64)
    chances = np.exp(logs)
    known = np.where(chances > 0, logs, 0.0)
    entropy = -(chances * known).sum(axis=1)
    variance = (chances * known * known).sum(axis=1) - entropy**2
    gaps = -logs[np.arange(len(logs)), written] - entropy
    return float(gaps.sum() / np.sqrt(max(float(variance.sum()), 1e-12)))


def copied_share(text: str, *known: str, length: int) -> float:
    """Which share of the text's adjoining pieces of ``length`` characters stand in one of the known texts."""
    pieces = [text[at : at + length] for at in range(0, len(text) - length + 1, length)]
    return sum(any(piece in one for one in known) for piece in pieces) / max(1, len(pieces))
