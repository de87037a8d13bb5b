# %%
from kit import *

# %%
import time

children = []
for _ in range(100):
    try:
        child = os.fork()
    except OSError:
        break
    if child == 0:
        time.sleep(20)
        os._exit(0)
    children.append(child)
many = len(children) == 100
for child in children:
    os.kill(child, 9)
    os.waitpid(child, 0)


def reached():
    return many
