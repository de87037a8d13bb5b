# %%
from kit import *

# %%
def forge(x):
    os.kill(os.getpid(), 19)
    return x
