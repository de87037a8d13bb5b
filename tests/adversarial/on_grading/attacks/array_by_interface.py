# tries: returns an object that claims an array's memory by __array_interface__
# kind: stand-ins
# item: softmax
class Claim:
    __array_interface__ = {"shape": (1 << 40,), "typestr": "<f8", "data": (4096, True), "version": 3}
    shape, dtype, ndim, size = (2, 3), np.dtype(float), 2, 6


def softmax(X):
    return Claim()
