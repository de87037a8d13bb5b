# %%
from kit import *

# %%
def fork():
    raise OSError("no")


sys.modules["grader.inside.copies"].fork = fork
