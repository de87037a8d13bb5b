# %%
from kit import *

# %%
import time


def forge(x):
    for _ in range(100):
        send(frame(["stdout", "."], request=current_request(), kind=3))
        time.sleep(0.2)
    return x
