# %%
from kit import *

# %%
def forge(x):
    send(frame(b"[" + b"[]," * 340_000 + b"[]]", request=current_request()))
