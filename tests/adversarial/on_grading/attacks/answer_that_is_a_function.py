# tries: returns a function instead of a value
# kind: stand-ins
# item: labels
def labels(scores):
    return lambda *arguments, **named: scores.argmax(axis=1)
