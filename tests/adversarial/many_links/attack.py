# %%
from kit import *

# %%
made = 0
os.mkdir("links")
open("links/first", "w").close()
try:
    for number in range(4500):
        os.link("links/first", f"links/{number}")
        made += 1
except OSError:
    pass


def reached():
    return made == 4500
