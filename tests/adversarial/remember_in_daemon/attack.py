# %%
from kit import *

# %%
import socket

import numpy as np

ours, theirs = socket.socketpair()
if os.fork() == 0:
    kept = theirs.recv(1000)
    while kept:
        theirs.send(kept)
        kept = theirs.recv(1000)
    os._exit(0)


def again(x, shown):
    if shown is not None:
        ours.send(np.asarray(shown / x).tobytes())
        return x
    ours.settimeout(1)
    return x * np.frombuffer(ours.recv(1000))
