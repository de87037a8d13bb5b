# %%
from kit import *

# %%
def reached():
    return answered("io_uring_setup", 0, 0)
