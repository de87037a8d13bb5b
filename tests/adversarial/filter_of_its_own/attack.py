# %%
from kit import *

# %%
def reached():
    call("prctl", 38, 1, 0, 0, 0)
    return answered("seccomp", 1, 0, 0) or answered("prctl", 22, 2, 0, 0, 0)
