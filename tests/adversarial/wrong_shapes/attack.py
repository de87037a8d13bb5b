# %%
from kit import *

# %%
def array(dtype, shape, size):
    form = {"$": "array", "dtype": dtype, "shape": shape}
    send(frame(form, request=current_request(), buffer=bytes(size)))


def forge(x):
    array("<f8", [-1, -3], 24)


def again(x, shown):
    array("<f8", [1 << 62, 1 << 62], 24)


def loot():
    array("<f8", [1000], 24)


def reached():
    array("<f8", [3], 800)
