# %%
from kit import *

# %%
import numpy as np


def forge(x):
    return np.zeros((3, 1, 3))


def again(x, shown):
    return np.zeros((0, 3))


def loot():
    return []


def reached():
    return np.array(True)
