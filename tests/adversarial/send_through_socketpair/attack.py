# %%
from kit import *

# %%
import socket

for name in ("\0" + WORLD["abstract"], WORLD["unix"]):
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        for end in socket.socketpair(socket.AF_UNIX, kind):
            possible(end.connect, name)
            possible(end.sendto, b"secret", name)
