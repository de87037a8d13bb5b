# tries: returns tables nested ten thousand deep
# kind: costs
# item: summary
def summary(x):
    table = {}
    for _ in range(10_000):
        table = {"mean": table}
    return table
