# %%
from kit import *

# %%
import builtins

import numpy as np


def reached():
    return hasattr(np, "tampered") or hasattr(builtins, "tampered")
