# %%
from kit import *

# %%
child = call("clone", 0x10000000 | 17, 0, 0, 0, 0)
if child == 0:
    os._exit(0)
made = child > 0
if made:
    os.waitpid(child, 0)


def reached():
    return made
