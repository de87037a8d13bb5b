# %%
from kit import *

# %%
written = 0
for place in (".", "/tmp", "/dev/shm"):
    try:
        for number in range(30):
            with open(f"{place}/{WORLD['mark']}-{number}", "wb") as file:
                written += file.write(bytes(1 << 20))
    except OSError:
        continue


def reached():
    return written > 20 << 20
