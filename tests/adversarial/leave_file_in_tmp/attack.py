# %%
from kit import *

# %%
with open(f"/tmp/{WORLD['mark']}", "w") as file:
    file.write("read me")
