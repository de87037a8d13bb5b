# %%
from kit import *

# %%
def change():
    for path in ("kit.py", os.path.realpath("kit.py")):
        possible(os.chmod, path, 0o666)
        with open(path, "a") as file:
            file.write("\n# changed\n")


possible(change)
