# %%
from kit import *

# %%
import mmap
import time

area = mmap.mmap(-1, 700 << 20)
for place in range(0, len(area), 1 << 20):
    area[place : place + (1 << 20)] = b"x" * (1 << 20)
time.sleep(3)
# %%
taken = "area" in globals()


def reached():
    return taken
