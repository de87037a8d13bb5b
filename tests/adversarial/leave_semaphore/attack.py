# %%
from kit import *

# %%
import _multiprocessing as semaphores

possible(semaphores.SemLock, 1, 1, 1, f"/{WORLD['mark']}-left", False)
