# %%
from kit import *

# %%
import threading
import time


def forge(x):
    def work():
        while True:
            print("still here")
            time.sleep(0.001)

    for _ in range(5):
        threading.Thread(target=work, daemon=True).start()
    return x
