# %%
from kit import *

# %%
import time


def forge(x):
    time.sleep(30)
    return x


def again(x, shown):
    if shown is None:
        time.sleep(30)
    return x
