# %%
from kit import *

# %%
class Skipped(BaseException):
    pass


Skipped.__module__ = "_pytest.outcomes"


def forge(x):
    raise Skipped("not today")


def loot():
    import unittest

    raise unittest.SkipTest("not today")


def reached():
    raise KeyboardInterrupt


def again(x, shown):
    raise GeneratorExit
