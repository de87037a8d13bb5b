# %%
from kit import *

# %%
from IPython.core.interactiveshell import ExecutionResult

ExecutionResult.error_in_exec = property(lambda _: None, lambda *_: None)
ExecutionResult.raise_error = lambda _: None
# %%
raise ValueError("not an error any more")
