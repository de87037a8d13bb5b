# %%
from kit import *

# %%
import signal


def stop(*_):
    raise RuntimeError("an alarm")


def forge(x):
    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    return x
