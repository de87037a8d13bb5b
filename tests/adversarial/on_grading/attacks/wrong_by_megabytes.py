# tries: returns a large wrong array, for which likely causes are looked for
# kind: costs
# item: cube
class Cube(Cube):
    def backward(self, X, G):
        return np.random.normal(size=(3000, 1000))
