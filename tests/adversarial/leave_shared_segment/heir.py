# %%
from kit import *

# %%
key = int(WORLD["mark"][-7:], 16)
segment = call("shmget", key, 4096, 0)
if segment >= 0:
    call("shmctl", segment, 0, 0)


def reached():
    return segment >= 0
