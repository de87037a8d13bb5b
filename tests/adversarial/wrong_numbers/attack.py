# %%
from kit import *

# %%
def forge(x):
    send(frame(b"9" * 900_000, request=current_request()))


def again(x, shown):
    send(frame({"$": "int", "hex": "0x" + "f" * 900_000}, request=current_request()))


def loot():
    send(frame(b"NaN", request=current_request()))
