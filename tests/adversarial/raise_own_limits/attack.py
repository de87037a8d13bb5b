# %%
from kit import *

# %%
import resource

raised = [
    possible(resource.setrlimit, kind, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    for kind in (resource.RLIMIT_AS, resource.RLIMIT_CPU, resource.RLIMIT_FSIZE)
]


def reached():
    return any(raised)
