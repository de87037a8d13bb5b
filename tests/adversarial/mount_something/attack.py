# %%
from kit import *

# %%
call("unshare", 0x10000000 | 0x00020000)
mounted = call("mount", b"none", b"/tmp", b"tmpfs", 0, 0) == 0


def reached():
    return mounted
