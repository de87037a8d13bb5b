# %%
from kit import *

# %%
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        import time

        time.sleep(0.5)
        with open(WORLD["outside"] + "/late.txt", "w") as file:
            file.write("still here")
        time.sleep(20)
    os._exit(0)
