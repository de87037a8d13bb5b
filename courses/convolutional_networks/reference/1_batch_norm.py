# %% [markdown]
# # Batch normalisation
#
# The first of five notebooks. Write your code where a `TODO` stands: in the modules of the folder `layers`,
# and here and there in a notebook. Hand in the notebooks and the folder.

# %%
import numpy as np

from layers import batch_norm

rng = np.random.default_rng(1)
X = 3 * rng.normal(size=(6, 4)) + 5

# %% [markdown]
# ## 1.1 Normalise (3 points)
#
# Write `normalize` in `layers/batch_norm.py`. The columns should have mean 0 and standard deviation 1.

# %%
normal = batch_norm.normalize(X, np.ones(4), np.zeros(4))
print(normal.mean(axis=0).round(6), normal.std(axis=0).round(3))

# %% [markdown]
# ## 1.2 Running statistics (3 points)
#
# Write `BatchNorm.forward`. After many batches the layer knows the mean, 5, and the variance, 9.

# %%
layer = batch_norm.BatchNorm(4)
for _ in range(100):
    layer.forward(3 * rng.normal(size=(50, 4)) + 5, training=True)
print(layer.running_mean.round(1), layer.running_var.round(1))

# %% [markdown]
# ## 1.3 Backward through the normalisation (4 points)
#
# Write `normalize_backward`.

# %%
d_X, d_gamma, d_beta = batch_norm.normalize_backward(X, np.ones(4), rng.normal(size=(6, 4)))
print(d_X.shape, d_gamma.shape, d_beta.shape)

# %% [markdown]
# ## 1.4 Small batches (2 points)
#
# Why does batch normalisation work badly with batches of two or three examples?

# %% [markdown]
# #### Answer 1.4
#
# <!-- BEGIN SOLUTION -->
# The mean and the variance of three examples are noisy. An example's output then depends on the two others
# that happen to be in its batch, and what the network saw while it trained is not what it sees at test time.
# <!-- END SOLUTION -->
