# %%
from kit import *

# %%
import socket


def connect():
    socket.socket(socket.AF_UNIX).connect("\0" + WORLD["mark"] + "-left")


def reached():
    return possible(connect)
