# %%
from kit import *

# %%
became = possible(os.setgroups, []) or possible(os.setuid, 0) and os.geteuid() == 0


def reached():
    return became
