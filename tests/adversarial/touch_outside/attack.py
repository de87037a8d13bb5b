# %%
from kit import *

# %%
possible(os.utime, WORLD["outside"] + "/marks.csv", (1, 1))
