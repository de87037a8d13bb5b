# tries: leaves momentum out, which the first step does not show
# kind: gradients
# item: sgd
# works: sgd, one step
class SGD(SGD):
    def step(self, params, gradients):
        return {name: params[name] - self.rate * gradient for name, gradient in gradients.items()}
