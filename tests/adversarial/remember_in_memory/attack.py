# %%
from kit import *

# %%
import numpy as np

memory = []


def again(x, shown):
    if shown is not None:
        memory.append(shown / x)
        return x
    return x * memory[0] if memory else x
