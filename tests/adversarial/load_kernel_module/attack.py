# %%
from kit import *

# %%
def reached():
    return any(
        [
            answered("init_module", 0, 0, 0),
            answered("delete_module", b"nothing", 0),
            answered("kexec_load", 0, 0, 0, 0),
        ]
    )
