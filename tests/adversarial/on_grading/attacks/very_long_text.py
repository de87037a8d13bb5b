# tries: returns a text of sixty million characters
# kind: costs
# item: describe
def describe(count):
    return "layers " * 9_000_000
