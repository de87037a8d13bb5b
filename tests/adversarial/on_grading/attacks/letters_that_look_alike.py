# tries: returns a text of other letters that look alike
# kind: tolerances
# item: describe
# works: describe, folded
def describe(count):
    return f"{count} layers".translate({ord("l"): "\N{FULLWIDTH LATIN SMALL LETTER L}"})
