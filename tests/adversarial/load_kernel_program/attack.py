# %%
from kit import *

# %%
def reached():
    return answered("bpf", 0, 0, 0)
