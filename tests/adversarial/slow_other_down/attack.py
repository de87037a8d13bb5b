# %%
from kit import *

# %%
slowed = call("setpriority", 0, WORLD["victim"], 5) == 0


def reached():
    return slowed
