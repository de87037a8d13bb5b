# %%
from kit import *

# %%
def reached():
    return answered("syslog", 10, 0, 0)
