# tries: returns dates that are none
# kind: costs
# item: labels
def labels(scores):
    return np.full(30, "NaT", dtype="datetime64[ns]")
