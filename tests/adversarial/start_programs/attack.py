# %%
from kit import *

# %%
import subprocess


def loot():
    try:
        done = subprocess.run(["/bin/sh", "-c", 'cat "$0"', WORLD["secrets"]], capture_output=True)
    except OSError:
        return None
    return search(done.stdout)
