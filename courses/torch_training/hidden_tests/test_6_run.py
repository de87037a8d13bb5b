"""6 A whole run: where it ends is computed from the recorded weights, on unseen points too."""

from pathlib import Path

import numpy as np
from rings import draw, network, smoothed

from grader import BadEvidence, assert_beats_baseline, assert_loss_falls, item, points, unpack_weights

SHAPES = {"W1": (32, 2), "b1": (32,), "W2": (2, 32), "b2": (2,)}
DATA = Path(__file__).parents[1] / "reference" / "rings.npz"


@item("6")
@points(2, hint="Run the notebook from its top, and hand it in with its outputs.")
def test_run(evidence):
    """the recorded weights have the loss at which the curve ends, and tell unseen points apart"""
    curve = evidence.recorded.curve("losses", length=301)
    weights = unpack_weights(evidence.recorded.at("weights"), shapes=SHAPES)
    with np.load(DATA) as rings:
        last = smoothed(network(weights, rings["X"]), rings["y"], 0.1)
    if not np.isclose(curve[-1], last, rtol=1e-3):
        raise BadEvidence(f"the curve ends at {curve[-1]:.4f}, and the recorded weights at {last:.4f}")
    assert_loss_falls(curve, steps=300, share=0.3, name="the recorded loss")
    X, y = draw(evidence.rng, 400)
    assert_beats_baseline(network(weights, X), y, by=0.3, name="the recorded weights on unseen points")
