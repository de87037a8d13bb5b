# %%
from kit import *

# %%
def forge(x):
    raise type("InfrastructureError", (Exception,), {"fault": "infrastructure"})("not my fault")


def reached():
    raise type("AuthorError", (AssertionError,), {})("the check is wrong")
