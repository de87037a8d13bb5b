# %%
from kit import *

# %%
def forge(x):
    send(os.urandom(5000))


def again(x, shown):
    send(frame(b'"\xff\xfe\x00"', request=current_request()))


def loot():
    send(frame(True, request=current_request(), kind=250))
