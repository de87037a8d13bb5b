# %%
from kit import *

# %%
def forge(x):
    x[:] = 0
    x.setflags(write=False)
    return x


def again(x, shown):
    x *= 0
    if shown is not None:
        shown *= 0
    return x
