# %%
from kit import *

# %%
def reached():
    return call("sched_setscheduler", 0, 1, ctypes.byref(ctypes.c_int(1))) == 0
