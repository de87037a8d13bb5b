# %%
from kit import *

# %%
import time

import numpy as np

children = []
for _ in range(12):
    child = os.fork()
    if child == 0:
        part = np.ones(7_000_000)
        time.sleep(3)
        os._exit(0)
    children.append(child)
ends = [os.waitpid(child, 0)[1] for child in children]


def reached():
    return ends.count(0) == len(ends)
