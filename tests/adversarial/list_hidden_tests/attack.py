# %%
from kit import *

# %%
found = possible(os.listdir, WORLD["hidden_tests"])


def reached():
    return found
