# tries: works out the gradient of the first example only
# kind: gradients
# item: layer
# works: layer, one row
class Linear(Linear):
    def backward(self, X, G):
        self.gradient = {"W": X[:1].T @ G[:1], "b": G[:1]}
        return G @ self.params["W"].T
