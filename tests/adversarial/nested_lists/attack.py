# %%
from kit import *

# %%
def forge(x):
    value = []
    for _ in range(100_000):
        value = [value]
    return value


def again(x, shown):
    value = []
    value.append(value)
    return value
