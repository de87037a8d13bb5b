# %%
from kit import *

# %%
import numpy as np


def again(x, shown):
    if shown is not None:
        np.save("seen.npy", shown / x)
        return x
    return x * np.load("seen.npy")
