# %%
from kit import *

# %%
def reached():
    return answered("clock_settime", 0, 0) or answered("settimeofday", 0, 0)
