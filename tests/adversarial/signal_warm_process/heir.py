# %%
from kit import *

# %%
pass
