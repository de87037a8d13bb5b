"""3.4.i Loss curves: 20 epochs with each of five amounts of momentum."""

from grader import BadEvidence, assert_curves_differ, assert_labels, item, points

pytestmark = item("3.4.i")

EPOCHS = 20
ALPHAS = ("0.1", "0.3", "0.5", "0.7", "0.9")


@points(2, hint="Run the cells of 3.4 from the top on the full data and hand them in with their outputs.")
def test_loss_curves(network):
    """the recorded curves are those of this code, each with its own alpha"""
    assert_labels(network.recorded.labels("runs"), ALPHAS, name="runs")
    losses, validations, kinds = {}, {}, set()
    for alpha in ALPHAS:
        losses[alpha] = network.whole("runs", alpha, "loss", least=EPOCHS, what="epochs")
        validations[alpha] = network.whole("runs", alpha, "validation", least=EPOCHS, what="epochs")
        if len(losses[alpha]) != len(validations[alpha]):
            raise BadEvidence(f"the curves of alpha {alpha} have different numbers of epochs")
        kind = network.first_batches(("runs", alpha), alpha=float(alpha))
        kinds.add(kind)
        network.assert_learns(losses[alpha], f"the loss with alpha {alpha}")
        for part, curve in (("loss", losses[alpha]), ("validation", validations[alpha])):
            network.assert_follows_reference(
                curve, f"{part} with alpha {alpha}", kind=kind, key=("3.4.i", alpha, part)
            )
    assert_curves_differ(losses, name="the losses")
    if "other" not in kinds:
        network.assert_curves_rough(accuracies=validations.values(), losses=losses.values())
