# %%
from kit import *

# %%
def reached():
    return os.path.exists(f"/proc/{WORLD['victim']}/status") or possible(os.kill, WORLD["grader"], 0)
