# %%
from kit import *

# %%
def reached():
    try:
        place = os.open("/proc/self/ns/net", os.O_RDONLY)
    except OSError:
        return False
    call("unshare", 0x10000000)
    return answered("setns", place, 0x20000000)
