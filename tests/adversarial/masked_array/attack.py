# %%
from kit import *

# %%
import numpy as np


def forge(x):
    return np.ma.masked_all(3)


def again(x, shown):
    return np.rec.array(np.zeros(3, [("x", float)]))
