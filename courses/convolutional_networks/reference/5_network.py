# %% [markdown]
# # The parts of a network

# %%
import numpy as np

# %% [markdown]
# ## 5.1 Softmax and cross-entropy (3 points)


# %%
def softmax_loss(scores, y):
    """The mean cross-entropy of scores (N, K) with the right classes y (N,), and its gradient (N, K)."""
    # TODO: large scores must not overflow
    ### BEGIN SOLUTION
    shifted = scores - scores.max(axis=1, keepdims=True)
    logs = shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))
    rows = np.arange(len(y))
    gradient = np.exp(logs)
    gradient[rows, y] -= 1
    return -logs[rows, y].mean(), gradient / len(y)
    ### END SOLUTION


# %%
print(softmax_loss(np.array([[1.0, 2.0, 3.0]]), np.array([2])))

# %% [markdown]
# ## 5.2 Batch normalisation of pictures (2 points)
#
# In pictures (N, C, H, W) each channel is normalised over all examples and places. A layer such as
# `layers.batch_norm.BatchNorm(C)` does that, if the channels are its columns.


# %%
def spatial(layer, X, training):
    """layer.forward of the pictures X (N, C, H, W), with a column for each channel; in the shape of X."""
    # TODO: call layer.forward once, with an array of C columns
    ### BEGIN SOLUTION
    N, C, H, W = X.shape
    rows = layer.forward(X.transpose(0, 2, 3, 1).reshape(-1, C), training)
    return rows.reshape(N, H, W, C).transpose(0, 3, 1, 2)
    ### END SOLUTION
