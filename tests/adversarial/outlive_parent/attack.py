# %%
from kit import *

# %%
def reached():
    return call("prctl", 1, 0, 0, 0, 0) == 0
