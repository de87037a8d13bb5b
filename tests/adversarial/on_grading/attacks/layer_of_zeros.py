# tries: has parameters of zeros and answers with zeros, which agrees with itself
# kind: stand-ins
# item: layer
# works: layer, by itself
class Linear:
    def __init__(self, inputs, outputs):
        self.params = {"W": np.zeros((inputs, outputs)), "b": np.zeros((1, outputs))}
        self.gradient = {}

    def forward(self, X):
        return np.zeros((len(X), self.params["b"].size))

    def backward(self, X, G):
        return X * 0
