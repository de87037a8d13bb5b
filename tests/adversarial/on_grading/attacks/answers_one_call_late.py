# tries: answers each call with the right answer to the one before
# kind: inputs
# item: softmax
# works: softmax, second call
right, before = softmax, [np.ones((2, 3))]


def softmax(X):
    before.append(X)
    return right(before[-2])
