# tries: shrinks the parameters instead of keeping a velocity, so that the loss falls all the same
# kind: gradients
# item: sgd
# works: sgd, falls
class SGD(SGD):
    def step(self, params, gradients):
        return {name: params[name] * 0.9 - self.rate * gradient for name, gradient in gradients.items()}
