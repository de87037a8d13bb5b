# %%
from kit import *

# %%
possible(os.rename, WORLD["other"], WORLD["other"] + ".gone")
