# %%
from kit import *

# %%
def reached():
    return call("msgget", 0, 0o1666) >= 0 or call("semget", 0, 1, 0o1666) >= 0
