# %%
from kit import *

# %%
def reached():
    return answered("fanotify_init", 0, 0) or answered("inotify_init1", 0)
