# %%
from kit import *

# %%
def reached():
    return os.path.exists(f"/dev/shm/{WORLD['mark']}")
