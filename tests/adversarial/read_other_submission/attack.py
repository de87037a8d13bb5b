# %%
from kit import *

# %%
def loot():
    return steal(WORLD["other"])
