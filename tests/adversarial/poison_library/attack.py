# %%
from kit import *

# %%
place = os.path.join(os.path.dirname(os.__file__), WORLD["mark"] + ".py")
wrote = possible(open, place, "w")
if wrote:
    os.unlink(place)


def reached():
    return wrote
