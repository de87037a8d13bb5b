# %%
from kit import *

# %%
possible(os.kill, os.getppid(), 9)
for process in range(2, 40):
    possible(os.kill, process, 9)
