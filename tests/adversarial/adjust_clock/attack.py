# %%
from kit import *

# %%
def reached():
    return answered("clock_adjtime", 0, 0)
