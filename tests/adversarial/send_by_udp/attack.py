# %%
from kit import *

# %%
import socket


def send_datagram():
    socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"secret", ("127.0.0.1", WORLD["udp"]))


possible(send_datagram)
