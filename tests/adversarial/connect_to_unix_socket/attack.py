# %%
from kit import *

# %%
import socket

possible(lambda: socket.socket(socket.AF_UNIX).connect(WORLD["unix"]))
