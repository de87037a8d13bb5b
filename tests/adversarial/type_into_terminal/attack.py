# %%
from kit import *

# %%
def reached():
    return answered("ioctl", 0, 0x5412, b"x")
