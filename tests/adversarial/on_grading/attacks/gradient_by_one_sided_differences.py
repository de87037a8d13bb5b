# tries: gets its gradient from one-sided differences
# kind: gradients
# item: cube
# works: cube, loosely
class Cube(Cube):
    def backward(self, X, G):
        return (self.forward(X + 1e-4) - self.forward(X)) / 1e-4 * G
