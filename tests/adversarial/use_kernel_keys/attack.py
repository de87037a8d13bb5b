# %%
from kit import *

# %%
def reached():
    return call("keyctl", 0, -3, 0) >= 0 or call("add_key", b"user", b"k", b"v", 1, -3) >= 0
