# tries: returns millions of denormal numbers, with which processors are slow
# kind: costs
# item: softmax
def softmax(X):
    return np.full((2_000_000, 3), 5e-324)
