# %%
from kit import *

# %%
def reached():
    return os.path.exists(f"/tmp/{WORLD['mark']}")
