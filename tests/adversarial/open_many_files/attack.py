# %%
from kit import *

# %%
opened = []
try:
    for _ in range(2000):
        opened.append(os.open("/dev/null", os.O_RDONLY))
except OSError:
    pass
count = len(opened)
for each in opened:
    os.close(each)


def reached():
    return count >= 1000
