# %%
from kit import *

# %%
import time


def forge(x):
    send(frame([1.0] * 3, request=current_request())[:30])
    time.sleep(60)
