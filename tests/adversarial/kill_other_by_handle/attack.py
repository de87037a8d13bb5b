# %%
from kit import *

# %%
handle = call("pidfd_open", WORLD["victim"], 0)
if handle >= 0:
    call("pidfd_send_signal", handle, 9, 0, 0)
