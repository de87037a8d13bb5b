# %%
from kit import *

# %%
import subprocess

command = 'trap "" HUP TERM INT; sleep 0.5; echo still here > "$0"; exec sleep 20'
possible(
    subprocess.Popen,
    ["/bin/sh", "-c", command, WORLD["outside"] + "/late.txt"],
    start_new_session=True,
    stderr=subprocess.DEVNULL,
)
