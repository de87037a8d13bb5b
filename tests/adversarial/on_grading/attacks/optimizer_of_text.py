# tries: returns digits as text for numbers
# kind: stand-ins
# item: sgd
class SGD(SGD):
    def step(self, params, gradients):
        return {
            name: np.asarray(value).astype(str) for name, value in super().step(params, gradients).items()
        }
