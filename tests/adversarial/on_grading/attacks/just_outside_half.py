# tries: is wrong by much less than half precision forgives, in half precision
# kind: tolerances
# item: softmax
# works: softmax, loosely
right = softmax


def softmax(X):
    return (right(X) * 1.01).astype(np.float16)
