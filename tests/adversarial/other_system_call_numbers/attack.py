# %%
from kit import *

# %%
import platform

if platform.machine() != "x86_64":
    os.kill(os.getpid(), 11)
call(0x40000000 + 39)
# %%
survived = False
