# %%
from kit import *

# %%
def reached():
    return answered("sethostname", 0, -1) or answered("setdomainname", 0, -1)
