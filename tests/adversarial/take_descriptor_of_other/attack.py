# %%
from kit import *

# %%
def reached():
    handle = call("pidfd_open", WORLD["victim"], 0)
    return handle >= 0 and call("pidfd_getfd", handle, 0, 0) >= 0
