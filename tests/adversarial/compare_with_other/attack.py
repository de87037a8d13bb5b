# %%
from kit import *

# %%
def reached():
    return answered("kcmp", os.getpid(), os.getpid(), 0, 0, 1)
