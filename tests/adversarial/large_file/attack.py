# %%
from kit import *

# %%
size = 0
try:
    with open("large", "wb") as file:
        file.truncate(1 << 30)
        size = os.fstat(file.fileno()).st_size
except OSError:
    pass


def reached():
    return size == 1 << 30
