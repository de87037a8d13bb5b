# %%
from kit import *

# %%
def reply(number, kind):
    send(frame({"$": "ref", "id": number, "type": kind}, request=current_request()))


def forge(x):
    reply(10**9, "<script>alert(1)</script>\x1b[31m\u202e")


def loot():
    reply(0, "str")


def reached():
    reply(0, "bool")


def again(x, shown):
    reply(-1, {"$": "ref"})
