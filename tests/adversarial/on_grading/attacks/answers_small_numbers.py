# tries: answers small numbers, and overflows for large ones
# kind: inputs
# item: softmax
# works: softmax, small numbers
def softmax(X):
    return np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
