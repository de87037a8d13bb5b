# %%
from kit import *

# %%
import numpy


def reached():
    return os.path.exists("sitecustomize.py") or "numpy.py" in os.listdir(".")
