# %%
from kit import *

# %%
import mmap

import numpy as np

seen = np.frombuffer(mmap.mmap(-1, 4096), count=3)


def again(x, shown):
    if shown is not None:
        seen[:] = shown / x
        return x
    return x * seen
