# %%
from kit import *

# %%
import socket


def reached():
    return possible(lambda: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW).bind((0, 0)))
