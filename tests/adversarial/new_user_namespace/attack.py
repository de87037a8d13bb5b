# %%
from kit import *

# %%
def reached():
    return call("unshare", 0x10000000) == 0
