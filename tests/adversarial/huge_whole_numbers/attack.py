# %%
from kit import *

# %%
def forge(x):
    return [10**400] * 3


def again(x, shown):
    return [10**100_000] * 3
