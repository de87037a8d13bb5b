# %%
from kit import *

# %%
import socket


def connect():
    socket.create_connection(("127.0.0.1", WORLD["tcp"]), timeout=1).close()


possible(connect)
