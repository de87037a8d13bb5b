# %%
from kit import *

# %%
import socket

waiting = 0
try:
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("kept")
    listener.listen(4096)
    for _ in range(3000):
        end = socket.socket(socket.AF_UNIX)
        end.connect("kept")
        end.send(bytes(30_000))
        end.close()
        waiting += 1
    import time

    time.sleep(3)
except OSError:
    pass
done = waiting == 3000
# %%
taken = "done" in globals() and done


def reached():
    return taken
