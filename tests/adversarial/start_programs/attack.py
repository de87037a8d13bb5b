# %%
from kit import *

# %%
import subprocess


def reached():
    return possible(subprocess.run, ["/bin/sh", "-c", "exit 0"]) or possible(
        subprocess.run, [sys.executable, "-c", ""]
    )
