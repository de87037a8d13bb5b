# %%
from kit import *

# %%
import builtins

import numpy as np

np.tampered = builtins.tampered = True
