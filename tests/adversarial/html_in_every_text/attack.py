# %%
from kit import *

# %%
# <script>alert(1)</script><img src=x onerror=alert(1)>
evil = "</pre></td><script>alert(1)</script><img src=x onerror=alert(1)>\x1b]0;owned\x07\x1b[2J\u202e\u2066\x00\x9b31m"
print(evil)
raise type(evil.replace("\0", ""), (Exception,), {})(evil)
# %%
def forge(x):
    print(evil)
    raise type(evil.replace("\0", ""), (Exception,), {})(evil)


def loot():
    return evil


def again(x, shown):
    return {evil: evil}


def reached():
    return type(evil.replace("\0", ""), (), {})()
