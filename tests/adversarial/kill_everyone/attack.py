# %%
from kit import *

# %%
try:
    os.kill(-1, 9)
    os.kill(os.getpid(), 9)
except OSError:
    pass
