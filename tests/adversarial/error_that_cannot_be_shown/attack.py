# %%
from kit import *

# %%
class Strange(Exception):
    def __str__(self):
        raise SystemExit

    __repr__ = __str__


class Endless(Exception):
    def __str__(self):
        return "x" * 50_000_000


def forge(x):
    raise Strange


def loot():
    raise Endless


def again(x, shown):
    error = ValueError("loop")
    error.__cause__ = error.__context__ = error
    raise error
