# tries: warns where an error is asked for
# kind: inputs
# item: size
import warnings


def size(number):
    warnings.warn("ValueError: a size is at least 1", RuntimeWarning)
    return number
