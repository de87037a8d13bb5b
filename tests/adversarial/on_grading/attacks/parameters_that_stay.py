# tries: keeps its own parameters, whatever is planted
# kind: stand-ins
# item: layer
# works: layer, by itself
class Kept(dict):
    def __setitem__(self, name, value):
        if name not in self:
            super().__setitem__(name, value)


class Linear(Linear):
    def __init__(self, inputs, outputs):
        super().__init__(inputs, outputs)
        self.params = Kept(self.params)
