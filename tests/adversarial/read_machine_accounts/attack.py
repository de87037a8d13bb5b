# %%
from kit import *

# %%
def reached():
    with open("/etc/passwd") as file:
        return "root:" in file.read() or os.path.exists("/etc/shadow")
