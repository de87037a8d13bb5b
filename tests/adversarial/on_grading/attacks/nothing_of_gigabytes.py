# tries: returns an empty array with an axis of 2**28
# kind: costs
# item: softmax
def softmax(X):
    return np.zeros((1 << 28, 0))
