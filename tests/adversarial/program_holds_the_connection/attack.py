# %%
from kit import *

# %%
import subprocess


def forge(x):
    os.set_inheritable(3, True)
    possible(subprocess.Popen, ["/bin/sleep", "60"], close_fds=False)
    os._exit(0)
