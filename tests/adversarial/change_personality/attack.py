# %%
from kit import *

# %%
def reached():
    return call("personality", 0x0040000) >= 0
