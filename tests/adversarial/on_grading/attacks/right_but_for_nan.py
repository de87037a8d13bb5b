# tries: is right but for one NaN, which is not larger than any tolerance
# kind: tolerances
# item: softmax
# works: softmax, no difference
right = softmax


def softmax(X):
    P = right(X)
    P[0, 0] = np.nan
    return P
