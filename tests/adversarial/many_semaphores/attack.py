# %%
from kit import *

# %%
import _multiprocessing as semaphores

made = 0
try:
    for number in range(5000):
        semaphores.SemLock(1, 1, 1, f"/{WORLD['mark']}-{number}", False)
        made += 1
except OSError:
    pass
for number in range(made):
    semaphores.sem_unlink(f"/{WORLD['mark']}-{number}")


def reached():
    return made == 5000
