# %%
from kit import *

# %%
HOOK = """
import os
with open(os.path.expanduser("~/hooked"), "w") as file:
    file.write("here")
with open({outside!r}, "w") as file:
    file.write("still here")
""".format(outside=WORLD["outside"] + "/hooked.txt")
version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
places = [".", "/tmp", os.path.expanduser(f"~/.local/lib/{version}/site-packages"), *sys.path]
for place in places:
    possible(os.makedirs, place or ".", exist_ok=True)
    for name in ("conftest.py", "sitecustomize.py", "usercustomize.py", "numpy.py"):
        path = os.path.join(place, WORLD["mark"] + "-" + name if place == "/tmp" else name)
        if not os.path.exists(path):
            possible(lambda: open(path, "w").write(HOOK))
    possible(lambda: open(os.path.join(place, WORLD["mark"] + ".pth"), "w").write("import conftest"))
possible(lambda: open("pytest.ini", "w").write("[pytest]\naddopts = --collect-only\n"))
os.environ["PYTHONPATH"] = os.getcwd()
os.environ["PYTEST_ADDOPTS"] = "--collect-only"
