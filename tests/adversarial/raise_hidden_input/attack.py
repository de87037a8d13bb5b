# %%
from kit import *

# %%
def told(text):
    raise ValueError(f"called with {text}")
