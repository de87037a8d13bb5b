# %%
from kit import *

# %%
os._exit(0)
# %%
ctypes.string_at(0)
# %%
raise SystemExit(0)
