# tries: returns an array whose entries have a thousand fields
# kind: costs
# item: labels
def labels(scores):
    return np.zeros(30, dtype=[(f"field {number}", "f8") for number in range(1000)])
