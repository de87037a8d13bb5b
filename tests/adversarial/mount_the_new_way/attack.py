# %%
from kit import *

# %%
def reached():
    call("unshare", 0x10000000 | 0x00020000)
    return call("fsopen", b"tmpfs", 0) >= 0 or call("open_tree", -100, b"/", 1) >= 0
