# %%
from kit import *

# %%
while True:
    pass
# %%
def forge(x):
    while True:
        pass
