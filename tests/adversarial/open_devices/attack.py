# %%
from kit import *

# %%
devices = ["mem", "kmsg", "vda", "sda", "kvm", "fuse", "net/tun", "ptmx", "tty"]
opened = [name for name in devices if possible(os.open, "/dev/" + name, os.O_RDWR)]


def reached():
    return bool(opened)
