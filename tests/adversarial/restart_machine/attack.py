# %%
from kit import *

# %%
def reached():
    return answered("reboot", 0, 0, 0, 0) or answered("swapon", 0, 0)
