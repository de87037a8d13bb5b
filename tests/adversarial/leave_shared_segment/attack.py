# %%
from kit import *

# %%
key = int(WORLD["mark"][-7:], 16)
segment = call("shmget", key, 4096, 0o1666)
