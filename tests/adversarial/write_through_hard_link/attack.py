# %%
from kit import *

# %%
given = os.path.realpath("kit.py")
for source in (given, "kit.py", WORLD["outside"] + "/marks.csv"):
    for name in ("alias", f"/tmp/{WORLD['mark']}-alias"):
        if possible(os.link, source, name):
            possible(lambda: open(name, "a").write("# changed"))
            possible(os.unlink, name)
possible(lambda: open("own", "w").write("raise SystemExit"))
possible(os.link, "own", WORLD["outside"] + "/linked.csv")
possible(os.rename, "own", given)
