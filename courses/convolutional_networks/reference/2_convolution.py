# %% [markdown]
# # Convolution

# %%
import numpy as np

from layers import convolution

rng = np.random.default_rng(2)

# %% [markdown]
# ## 2.1 Size of the output (1 point)


# %%
def output_size(length, kernel, stride, padding):
    """How many places a filter of `kernel` entries has along a side of `length` entries."""
    # TODO: `padding` zeros are added on both ends
    ### BEGIN SOLUTION
    return (length + 2 * padding - kernel) // stride + 1
    ### END SOLUTION


# %% [markdown]
# ## 2.2 Convolution (4 points)
#
# Write `convolve` in `layers/convolution.py`. The filter below finds edges.

# %%
X = np.zeros((1, 1, 5, 5))
X[..., 2:] = 1
edges = np.array([[[[-1.0, 1.0]]]])
print(convolution.convolve(X, edges, np.zeros(1)))

# %% [markdown]
# ## 2.3 Backward through the convolution (5 points)
#
# Write `convolve_backward`.

# %%
d_X, d_W, d_b = convolution.convolve_backward(X, edges, rng.normal(size=(1, 1, 5, 4)))
print(d_X.shape, d_W.shape, d_b.shape)
