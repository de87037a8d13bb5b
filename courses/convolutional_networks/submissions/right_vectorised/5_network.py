# %% [markdown]
# # The parts of a network

# %%
import numpy as np
from numpy import log, newaxis

# %% [markdown]
# ## 5.1 Softmax and cross-entropy (3 points)


# %%
def probabilities(Z):
    e = np.exp(Z - np.amax(Z, 1)[:, newaxis])
    return e / e.sum(1)[:, newaxis]


def softmax_loss(scores, y):
    hot = np.eye(scores.shape[1])[y]
    P = probabilities(scores)
    return float(-(log(P) * hot).sum() / len(y)), (P - hot) / y.size


# %% [markdown]
# ## 5.2 Batch normalisation of pictures (2 points)


# %%
def spatial(layer, X, training):
    moved = np.moveaxis(X, 1, -1)
    flat = moved.reshape(-1, X.shape[1])
    back = layer.forward(X=flat, training=training)
    return np.moveaxis(np.reshape(back, moved.shape), -1, 1)
