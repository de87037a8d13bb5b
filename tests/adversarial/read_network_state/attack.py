# %%
from kit import *

# %%
PORT = f":{WORLD['tcp']:04X} "


def reached():
    for place in ("self", "thread-self", "1"):
        try:
            with open(f"/proc/{place}/net/tcp") as file:
                if PORT in file.read():
                    return True
        except OSError:
            continue
    return False
