# %%
from kit import *

# %%
import linecache
import traceback

linecache.getline = linecache.getlines = traceback.extract_tb = lambda *_: 1 / 0
get_ipython().showtraceback = lambda *_, **__: print("no error")
# %%
raise ValueError("hidden")
