# %%
from kit import *

# %%
def forge(x):
    for data in ({"text/html": "<script>"}, {"image/png": "<script>"}, {"image/png": 7}, [], "x"):
        send(frame(data, request=current_request(), kind=4))
    return x
