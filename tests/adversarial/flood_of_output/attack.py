# %%
from kit import *

# %%
while True:
    print("x" * 10_000)
