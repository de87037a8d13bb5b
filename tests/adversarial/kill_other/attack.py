# %%
from kit import *

# %%
possible(os.kill, WORLD["victim"], 9)
