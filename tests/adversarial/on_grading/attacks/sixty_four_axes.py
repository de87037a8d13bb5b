# tries: returns an array with as many axes as numpy has
# kind: costs
# item: softmax
def softmax(X):
    return np.ones((1,) * (64 if np.__version__ >= "2" else 32))
