# %%
from kit import *

# %%
import subprocess

PROGRAM = """
import socket, sys
for family, name in ((1, sys.argv[1]), (1, "\\0" + sys.argv[2]), (2, ("127.0.0.1", int(sys.argv[3])))):
    try:
        socket.socket(family).connect(name)
    except OSError:
        pass
"""
names = [WORLD["unix"], WORLD["abstract"], str(WORLD["tcp"])]
possible(subprocess.run, [sys.executable, "-I", "-S", "-c", PROGRAM, *names])
