# tries: returns the right text with invisible and reordering characters in it
# kind: tolerances
# item: describe
# works: describe, folded
def describe(count):
    return f"\u200b{count} \u2066layers\u2069\x00"
