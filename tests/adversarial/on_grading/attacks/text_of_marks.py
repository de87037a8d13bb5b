# tries: returns a letter with a million accents, as its answer and as an error's text
# kind: costs
# item: size
def size(number):
    raise ValueError("e" + "\u0301" * 1_000_000) if number > 0 else TypeError("\u202e" * 1_000_000)
