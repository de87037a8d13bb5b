# tries: adds each gradient to the one before
# kind: gradients
# item: layer
# works: layer, backward once
class Linear(Linear):
    def backward(self, X, G):
        W, b = self.gradient.get("W", 0), self.gradient.get("b", 0)
        self.gradient = {"W": W + X.T @ G, "b": b + G.sum(axis=0, keepdims=True)}
        return G @ self.params["W"].T
