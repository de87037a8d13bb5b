# %%
from kit import *

# %%
import socket

import numpy as np


def again(x, shown):
    if shown is not None:
        listener = socket.socket(socket.AF_UNIX)
        listener.bind("kept")
        listener.listen()
        if os.fork():
            return x
        while True:
            listener.accept()[0].sendall(np.asarray(shown / x).tobytes())
    there = socket.socket(socket.AF_UNIX)
    there.connect("kept")
    return x * np.frombuffer(there.recv(1000))
