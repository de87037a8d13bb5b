# %%
from kit import *

# %%
def forge(x):
    os._exit(0)


def reached():
    raise SystemExit(0)
