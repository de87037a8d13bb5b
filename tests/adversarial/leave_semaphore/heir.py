# %%
from kit import *

# %%
import _multiprocessing as semaphores

found = possible(semaphores.sem_unlink, f"/{WORLD['mark']}-left")


def reached():
    return found
