# %%
from kit import *

# %%
def forge(x):
    for number in range(100):
        send(frame([0.0, 0.0, 0.0], request=number))
    return x
