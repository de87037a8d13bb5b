# %%
from kit import *

# %%
def forge(x):
    os.close(3)
    os._exit(0)
