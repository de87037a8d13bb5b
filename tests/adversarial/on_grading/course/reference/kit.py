"""Given to every student."""


def scale(x, factor):
    return [factor * entry for entry in x]
