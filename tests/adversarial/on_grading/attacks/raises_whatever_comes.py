# tries: raises the right error for every number
# kind: inputs
# item: size
# works: size, negative
def size(number):
    raise ValueError("a size is at least 1")
