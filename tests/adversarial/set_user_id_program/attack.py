# %%
from kit import *

# %%
import subprocess

started = False
for program in ("/bin/su", "/usr/bin/su", "/bin/mount", "/usr/bin/mount"):
    started = started or possible(subprocess.run, [program, "--version"], stdin=subprocess.DEVNULL)


def reached():
    return started
