# %%
from kit import *

# %%
import socket


def reached():
    return possible(socket.socket, socket.AF_PACKET, socket.SOCK_RAW) or possible(
        socket.socket, socket.AF_INET, socket.SOCK_RAW, 1
    )
