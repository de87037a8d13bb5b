# %%
from kit import *

# %%
made = 0
try:
    os.mkdir("many")
    for number in range(4500):
        os.close(os.open(f"many/{number}", os.O_CREAT))
        made += 1
except OSError:
    pass


def reached():
    return made == 4500
