# %%
from kit import *

# %%
for place in ("numpy.py", "sitecustomize.py", "ipython_config.py"):
    with open(place, "w") as file:
        file.write("raise SystemExit")
