# %%
from kit import *

# %%
import threading

go = threading.Event()
count = 0
for _ in range(200):
    try:
        threading.Thread(target=go.wait, args=(5,), daemon=True).start()
    except (RuntimeError, MemoryError):
        break
    count += 1
go.set()


def reached():
    return count >= 150
