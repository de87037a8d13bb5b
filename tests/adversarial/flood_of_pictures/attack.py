# %%
from kit import *

# %%
import base64

from IPython.display import Image, display

tiny = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNgAAAAAgABSK+kcQAAAABJRU5ErkJggg=="
)
for _ in range(2000):
    display(Image(tiny))
display(Image(tiny + bytes(20 << 20), format="png"))
