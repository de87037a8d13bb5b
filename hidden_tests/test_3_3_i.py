"""3.3.i Accuracy curves: 30 epochs without early stopping, and the epoch at which it would have stopped."""

from grader import BadEvidence, assert_stop_epoch, item, points

pytestmark = item("3.3.i")

EPOCHS, PATIENCE = 30, 3
OF = ("train", "validation", "test")


@points(2, hint="Run the cells of 3.3 from the top on the full data and hand them in with their outputs.")
def test_accuracy_curves(network, student):
    """the recorded curves begin and end as the grader's own computation, and the early-stop point is right"""
    curves = network.accuracies(epochs=EPOCHS)
    curves["loss"] = network.whole("loss", least=EPOCHS, what="epochs")
    if len({len(curve) for curve in curves.values()}) != 1:
        raise BadEvidence("the recorded curves have different numbers of epochs")
    assert_stop_epoch(
        network.recorded.at("stopped_at"), curves["validation"], patience=PATIENCE, name="`stopped_at`"
    )
    run, exact = network.begins((), alpha=0.0, epochs=len(curves["loss"]))
    for name, curve in curves.items():
        network.assert_between(curve, name, exact=exact, key=("3.3.i", name))
    network.assert_curves_rough(accuracies=(curves[part] for part in OF), losses=[curves["loss"]])
    network.assert_last_epoch(curves, run, exact=exact)
    network.assert_own_code_trains(student)
