# %%
from kit import *

# %%
import numpy as np


def forge(x):
    return np.full(3, np.nan)


def again(x, shown):
    return np.full(3, np.inf)
