"""3.4.i Loss curves: 20 epochs with each of five amounts of momentum."""

from run_ends import ALPHAS

from grader import BadEvidence, assert_curves_differ, assert_labels, item, points

pytestmark = item("3.4.i")

EPOCHS = 20


@points(2, hint="Run the cells of 3.4 from the top on the full data and hand them in with their outputs.")
def test_loss_curves(network, student):
    """the recorded curves begin and end as the grader's own computation, each with its own alpha"""
    assert_labels(network.recorded.labels("runs"), ALPHAS, name="runs")
    losses, validations = {}, {}
    for alpha in ALPHAS:
        losses[alpha] = network.whole("runs", alpha, "loss", least=EPOCHS, what="epochs")
        validations[alpha] = network.whole("runs", alpha, "validation", least=EPOCHS, what="epochs")
        if len(losses[alpha]) != len(validations[alpha]):
            raise BadEvidence(f"the curves of alpha {alpha} have different numbers of epochs")
    assert_curves_differ(losses, name="the losses")
    runs = {alpha: network.begins(("runs", alpha), alpha=float(alpha), epochs=1) for alpha in ALPHAS}
    for alpha, (_, exact) in runs.items():
        for part, curve in (("loss", losses[alpha]), ("validation", validations[alpha])):
            network.assert_between(
                curve, f"{part} with alpha {alpha}", exact=exact, key=("3.4.i", alpha, part)
            )
    network.assert_curves_rough(accuracies=validations.values(), losses=losses.values())
    for alpha, (run, exact) in runs.items():
        ends = {"loss": losses[alpha], "validation": validations[alpha]}
        network.assert_final(alpha, ends, run, exact=exact)
    network.assert_own_code_trains(student, alpha=float(network.evidence.rng.choice(ALPHAS)))
