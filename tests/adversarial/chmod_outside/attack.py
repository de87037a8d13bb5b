# %%
from kit import *

# %%
possible(os.chmod, WORLD["other"], 0o600)
possible(os.chmod, WORLD["outside"], 0o700)
