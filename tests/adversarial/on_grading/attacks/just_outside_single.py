# tries: is wrong by a little more than single precision forgives, in single precision
# kind: tolerances
# item: softmax
# works: softmax, loosely
right = softmax


def softmax(X):
    return (right(X) * (1 + 1e-3)).astype(np.float32)
