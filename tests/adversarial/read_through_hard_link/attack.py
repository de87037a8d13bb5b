# %%
from kit import *

# %%
def loot():
    try:
        os.link(WORLD["secrets"], os.path.join(os.path.dirname(WORLD["outside"]), "link.txt"))
    except OSError:
        return None
    return steal(os.path.join(os.path.dirname(WORLD["outside"]), "link.txt"))
