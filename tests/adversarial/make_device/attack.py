# %%
from kit import *

# %%
def reached():
    return possible(os.mknod, "disk", 0o060600, os.makedev(254, 0))
