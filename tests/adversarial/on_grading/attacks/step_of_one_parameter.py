# tries: moves only the first parameter
# kind: gradients
# item: sgd
# works: sgd, first parameter
class SGD(SGD):
    def step(self, params, gradients):
        moved = super().step(params, {"W": gradients["W"]} if "W" in gradients else gradients)
        return {**params, **moved}
