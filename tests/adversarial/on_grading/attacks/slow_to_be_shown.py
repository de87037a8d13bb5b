# tries: returns an object that takes for ever to say what it is
# kind: costs
# item: softmax
class Slow:
    def __repr__(self):
        while True:
            pass

    __str__ = __len__ = __iter__ = __bool__ = __float__ = __index__ = __repr__


def softmax(X):
    return [Slow()] * 3
