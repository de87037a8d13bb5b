# tries: returns an empty array of many long axes
# kind: costs
# item: labels
def labels(scores):
    return np.empty((0, 1 << 20, 1 << 20), dtype=np.int8)
