# %%
from kit import *

# %%
import socket
import time


def leave():
    listener = socket.socket(socket.AF_UNIX)
    listener.bind("\0" + WORLD["mark"] + "-left")
    listener.listen()
    if os.fork() == 0:
        os.setsid()
        time.sleep(20)
        os._exit(0)


possible(leave)
