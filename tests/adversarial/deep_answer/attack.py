# %%
from kit import *

# %%
def forge(x):
    send(frame(b"[" * 1_000_000, request=current_request()))


def again(x, shown):
    send(frame(b'{"$": "tuple", "of": [' * 20_000 + b"]}" * 20_000, request=current_request()))
