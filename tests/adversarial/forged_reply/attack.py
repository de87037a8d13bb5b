# %%
from kit import *

# %%
def forge(x):
    send(frame([1.0, 2.0, 3.0], request=current_request()))
    send(frame(True, request=current_request()))
    return x


def loot():
    send(frame("CANARY-passed", request=current_request()))
