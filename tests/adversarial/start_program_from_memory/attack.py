# %%
from kit import *

# %%
def reached():
    return call("memfd_create", b"program", 0) >= 0
