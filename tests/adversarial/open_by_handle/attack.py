# %%
from kit import *

# %%
def reached():
    return answered("name_to_handle_at", -100, b"/", 0, 0, 0)
