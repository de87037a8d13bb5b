# tries: is wrong by a little more than half precision forgives, in half precision
# kind: tolerances
# item: softmax
# works: softmax, loosely
right = softmax


def softmax(X):
    return (right(X) * 1.045).astype(np.float16)
