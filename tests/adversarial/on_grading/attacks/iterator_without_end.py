# tries: returns an iterator that never ends
# kind: costs
# item: labels
def labels(scores):
    return iter(lambda: 1, 0)
