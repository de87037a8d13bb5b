# tries: steps by the sign of the gradient, so that the loss falls all the same
# kind: gradients
# item: sgd
# works: sgd, falls
class SGD(SGD):
    def step(self, params, gradients):
        return {name: params[name] - 0.01 * np.sign(gradient) for name, gradient in gradients.items()}
