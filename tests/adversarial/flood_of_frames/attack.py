# %%
from kit import *

# %%
def forge(x):
    data = frame(["stdout", "x" * 60_000], request=current_request(), kind=3)
    while True:
        send(data)
