# %%
from kit import *

# %%
def told(text):
    return type(text, (), {})()


def forge(x):
    return list(x)
