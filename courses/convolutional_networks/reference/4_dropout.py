# %% [markdown]
# # Dropout

# %%
import numpy as np

from layers import dropout

# %% [markdown]
# ## 4.1 Dropout (3 points)
#
# Write `dropout` in `layers/dropout.py`.

# %%
out, mask = dropout.dropout(np.ones((4, 5)), 0.5, np.random.default_rng(4), training=True)
print(out)

# %% [markdown]
# ## 4.2 Backward through dropout (1 point)
#
# Write `dropout_backward`.

# %%
print(dropout.dropout_backward(np.ones((4, 5)), mask))

# %% [markdown]
# ## 4.3 Why divide? (2 points)
#
# What is the division by `keep` good for?

# %% [markdown]
# #### Answer 4.3
#
# <!-- BEGIN SOLUTION -->
# With it the expected value of a unit is the same with and without dropout, so that at test time the network
# can be used as it is.
# <!-- END SOLUTION -->
