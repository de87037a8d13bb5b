# %%
from kit import *

# %%
def deeper():
    return deeper()


deeper()
# %%
def forge(x):
    sys.setrecursionlimit(10**9)
    return deeper()
