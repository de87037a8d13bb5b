# %%
from kit import *

# %%
NAMES = ("results.json", "grade.json", "report.html", "figure.png", "attack.ipynb", "left 0", "deep/left")

os.makedirs("deep")
for name in NAMES:
    possible(os.symlink, WORLD["outside"], name)
    possible(os.symlink, WORLD["outside"] + "/marks.csv", f"{name}.link")
possible(os.chmod, "deep", 0)
