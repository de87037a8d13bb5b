# %%
from kit import *

# %%
with open(f"/dev/shm/{WORLD['mark']}", "w") as file:
    file.write("read me")
