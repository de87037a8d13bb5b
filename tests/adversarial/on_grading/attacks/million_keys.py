# tries: returns a table with a million keys
# kind: costs
# item: summary
def summary(x):
    return dict.fromkeys(range(1_000_000), 0.0)
