# %%
from kit import *

# %%
import socket


def reached():
    return possible(lambda: socket.socket().bind(("127.0.0.1", 0)))
