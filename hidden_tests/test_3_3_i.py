"""3.3.i Accuracy curves: 30 epochs without early stopping, and the epoch at which it would have stopped."""

from grader import BadEvidence, assert_stop_epoch, item, points

pytestmark = item("3.3.i")

EPOCHS, PATIENCE = 30, 3


@points(2, hint="Run the cells of 3.3 from the top on the full data and hand them in with their outputs.")
def test_accuracy_curves(network):
    """the recorded curves are those of this code, and the early-stop point is right"""
    curves = network.accuracies(epochs=EPOCHS)
    curves["loss"] = network.whole("loss", least=EPOCHS, what="epochs")
    if len({len(curve) for curve in curves.values()}) != 1:
        raise BadEvidence("the recorded curves have different numbers of epochs")
    assert_stop_epoch(
        network.recorded.at("stopped_at"), curves["validation"], patience=PATIENCE, name="`stopped_at`"
    )
    kind = network.first_batches((), alpha=0.0)
    network.assert_learns(curves["loss"], "the training loss")
    for name, curve in curves.items():
        network.assert_follows_reference(curve, name, kind=kind, key=("3.3.i", name))
    if kind != "other":
        loss = curves.pop("loss")
        network.assert_curves_rough(accuracies=curves.values(), losses=[loss])
