# %%
from kit import *

# %%
seized = call("ptrace", 0x4206, WORLD["victim"], 0, 0) == 0


def reached():
    return seized
