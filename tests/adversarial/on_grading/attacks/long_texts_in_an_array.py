# tries: returns an array of texts, each with room for a million characters
# kind: costs
# item: labels
def labels(scores):
    return np.zeros(30, dtype="U1000000")
