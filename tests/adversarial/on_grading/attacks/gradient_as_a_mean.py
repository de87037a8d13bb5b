# tries: divides its gradient by the number of examples
# kind: gradients
# item: layer
# works: layer, one row
class Linear(Linear):
    def backward(self, X, G):
        self.gradient = {"W": X.T @ G / len(X), "b": G.mean(axis=0, keepdims=True)}
        return G @ self.params["W"].T
