# tries: is wrong by a little more than the tolerance
# kind: tolerances
# item: softmax
# works: softmax, loosely
right = softmax


def softmax(X):
    return right(X) * (1 + 1e-5)
