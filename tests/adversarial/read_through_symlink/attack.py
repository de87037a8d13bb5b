# %%
from kit import *

# %%
os.symlink(WORLD["secrets"], "link.txt")


def loot():
    return steal("link.txt")
