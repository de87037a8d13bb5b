# %%
from kit import *

# %%
call("unshare", 0x10000000)
moved = call("chroot", b"/tmp") == 0


def reached():
    return moved
