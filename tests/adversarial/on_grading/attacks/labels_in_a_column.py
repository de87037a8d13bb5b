# tries: returns a column where a row is asked for, so that a comparison stretches both
# kind: tolerances
# item: labels
# works: labels, occur
right = labels


def labels(scores):
    return right(scores)[:, None]
