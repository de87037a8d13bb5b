# %%
from kit import *

# %%
import subprocess

PROGRAM = "import time; held = b'x' * (60 << 20); print('held', flush=True); time.sleep(3)"
command = [sys.executable, "-I", "-S", "-c", PROGRAM]
try:
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(10)]
except OSError:
    started = []
ends = [each.wait() for each in started]


def reached():
    return ends.count(0) == 10
