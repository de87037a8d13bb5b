# %%
from kit import *

# %%
def forge(x):
    return "\ud800\0" * 500_000


def loot():
    return "\ud800"


def again(x, shown):
    return {"\udfff": "\0"}
