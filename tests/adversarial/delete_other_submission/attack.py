# %%
from kit import *

# %%
possible(os.unlink, WORLD["other"])
