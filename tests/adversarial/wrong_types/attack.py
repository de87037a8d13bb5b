# %%
from kit import *

# %%
def form(**tree):
    send(frame({"$": tree.pop("form"), **tree}, request=current_request(), buffer=bytes(24)))


def forge(x):
    form(form="array", dtype="|O", shape=[3])


def again(x, shown):
    form(form="array", dtype="<f8,<f8", shape=[1])


def loot():
    form(form="pickle", data=f"cos\nsystem\n(S'touch {WORLD['outside']}/unpickled'\ntR.")


def reached():
    form(form="array", dtype=["<f8"], shape="3")
