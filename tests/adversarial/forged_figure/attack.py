# %%
from kit import *

# %%
import matplotlib.pyplot as plt

plt.text(0.5, 0.5, "test accuracy 100 %\n7 of 7 points")
plt.title("<script>alert(1)</script>")
plt.show()
