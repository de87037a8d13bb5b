# %%
from kit import *

# %%
import time

time.sleep(0.7)
