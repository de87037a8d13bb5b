# %%
from kit import *

# %%
from collections import deque
from itertools import repeat

deque(repeat(None), maxlen=0)
