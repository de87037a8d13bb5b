# tries: hides an error in the imaginary part
# kind: tolerances
# item: softmax
# works: softmax, real part
right = softmax


def softmax(X):
    return right(X) + 1j
