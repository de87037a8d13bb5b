# %%
from kit import *

# %%
def forge(x):
    while True:
        print("y" * 1000)
        print("z" * 1000, file=sys.stderr)
