# %% [markdown]
# # Pooling

# %%
import numpy as np

from layers import convolution

X = np.arange(16.0).reshape(1, 1, 4, 4)

# %% [markdown]
# ## 3.1 Max-pooling (2 points)
#
# Write `max_pool` in `layers/convolution.py`.

# %%
print(convolution.max_pool(X, 2))

# %% [markdown]
# ## 3.2 Backward through max-pooling (3 points)
#
# Write `max_pool_backward`. If several entries of a square are the largest, any of them may get the gradient.

# %%
print(convolution.max_pool_backward(X, 2, np.ones((1, 1, 2, 2))))
