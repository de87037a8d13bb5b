# %%
from kit import *

# %%
import subprocess

command = f"kill -STOP {WORLD['victim']}; kill -9 {WORLD['victim']}"
possible(subprocess.run, ["/bin/sh", "-c", command], stderr=subprocess.DEVNULL)
