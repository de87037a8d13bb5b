# %%
from kit import *

# %%
def loot():
    with open("/proc/self/maps") as maps, open("/proc/self/mem", "rb", 0) as memory:
        for line in maps:
            if " rw-p " not in line:
                continue
            start, end = (int(part, 16) for part in line.split()[0].split("-"))
            try:
                memory.seek(start)
                found = search(memory.read(end - start))
            except (OSError, OverflowError, MemoryError):
                continue
            if found:
                return found
    return None
