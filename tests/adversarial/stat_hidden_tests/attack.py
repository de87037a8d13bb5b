# %%
from kit import *

# %%
def reached():
    return possible(os.stat, WORLD["secrets"]) or os.access(WORLD["secrets"], os.F_OK)
