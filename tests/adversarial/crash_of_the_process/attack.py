# %%
from kit import *

# %%
import resource

dumps = possible(resource.setrlimit, resource.RLIMIT_CORE, (1 << 30, 1 << 30))


def forge(x):
    ctypes.memset(8, 0, 8)
