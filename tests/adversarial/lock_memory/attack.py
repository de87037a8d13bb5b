# %%
from kit import *

# %%
def reached():
    return call("mlock", ctypes.create_string_buffer(1 << 20), 1 << 20) == 0
