# %%
from kit import *

# %%
import gc


def loot():
    gc.unfreeze()
    for each in gc.get_objects():
        for value in gc.get_referents(each):
            # The collector itself does not know a dictionary that holds only text.
            for text in value.values() if type(value) is dict else [value]:
                if type(text) is str and CANARY.fullmatch(text.encode("utf-8", "replace")):
                    return text
    return None
