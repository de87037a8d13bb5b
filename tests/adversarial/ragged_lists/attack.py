# %%
from kit import *

# %%
def forge(x):
    return [[1, 2], [3], "4", None]


def again(x, shown):
    return {"x": [1, {"y": ()}]}
