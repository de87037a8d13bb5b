# tries: returns whole numbers of a hundred thousand digits, in a list
# kind: costs
# item: labels
def labels(scores):
    return [1 << 400_000] * 30
