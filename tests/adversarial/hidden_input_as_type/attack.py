# %%
from kit import *

# %%
def told(text):
    name = text.replace("-", "_")
    exec(compile(f"def f():\n    raise E({text!r})\n", text, "exec"), vars := {"E": type(name, (Exception,), {})})
    vars["f"]()
