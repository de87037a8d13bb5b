# tries: returns a range of ten to the fifteenth numbers
# kind: costs
# item: labels
def labels(scores):
    return range(10**15)
