# %%
from kit import *

# %%
import subprocess

hooked = os.path.exists(os.path.expanduser("~/hooked")) or "conftest" in sys.modules
possible(subprocess.run, [sys.executable, "-c", "import numpy"], stderr=subprocess.DEVNULL)


def reached():
    return hooked or os.path.exists(os.path.expanduser("~/hooked"))
