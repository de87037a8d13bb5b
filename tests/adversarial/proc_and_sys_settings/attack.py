# %%
from kit import *

# %%
def reached():
    return any(
        possible(os.open, path, os.O_WRONLY)
        for path in ("/proc/sys/kernel/core_pattern", "/proc/sys/vm/overcommit_memory", "/proc/sysrq-trigger")
    )
