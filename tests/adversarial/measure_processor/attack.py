# %%
from kit import *

# %%
def reached():
    return answered("perf_event_open", 0, 0, -1, -1, 0)
