# %%
from kit import *

# %%
def reached():
    return answered("userfaultfd", 1)
