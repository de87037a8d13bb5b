# %%
from kit import *

# %%
possible(open, WORLD["outside"] + "/owned.txt", "w")
