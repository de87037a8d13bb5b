# %%
from kit import *

# %%
possible(os.truncate, WORLD["outside"] + "/marks.csv", 0)
