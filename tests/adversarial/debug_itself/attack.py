# %%
from kit import *

# %%
child = os.fork()
if child == 0:
    os._exit(0 if call("ptrace", 0, 0, 0, 0) == 0 else 1)
traced = os.waitpid(child, 0)[1] == 0


def reached():
    return traced
