# %%
from kit import *

# %%
import time

import numpy as np

full = np.ones(90_000_000)
time.sleep(3)
# %%
taken = "full" in globals()


def reached():
    return taken
