# %%
from kit import *

# %%
copies = sys.modules["grader.inside.copies"]
plain = copies.fork


def fork():
    child = plain()
    return WORLD["victim"] if child else child


copies.fork = fork
