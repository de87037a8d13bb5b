# %%
from kit import *

# %%
import itertools

import numpy as np

turn = itertools.count()


class Lazy:
    def __getattribute__(self, name):
        return np.zeros(3) if next(turn) % 2 else Lazy()

    def __getitem__(self, key):
        return Lazy()

    def __iter__(self):
        return iter([1.0] * next(turn))


def forge(x):
    return Lazy()


def again(x, shown):
    yield from [x, x]
