# %%
from kit import *

# %%
import numpy as np


def forge(x):
    return np.broadcast_to(np.zeros(1), (1 << 40,))


def again(x, shown):
    return ["x" * 1000] * 10_000_000
