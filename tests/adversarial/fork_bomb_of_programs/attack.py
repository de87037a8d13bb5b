# %%
from kit import *

# %%
import subprocess

started = []
try:
    while len(started) < 100:
        started.append(subprocess.Popen(["/bin/sleep", "20"]))
except OSError:
    pass
many = len(started) == 100
for each in started:
    each.kill()
    each.wait()


def reached():
    return many
