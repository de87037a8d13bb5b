# tries: gets its gradient from central differences with a large step
# kind: gradients
# item: cube
# works: cube, loosely
class Cube(Cube):
    def backward(self, X, G):
        return (self.forward(X + 0.05) - self.forward(X - 0.05)) / 0.1 * G
