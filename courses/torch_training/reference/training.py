# %% [markdown]
# # Training with PyTorch
#
# A small network learns which of two rings a point lies on. Write your code where a `TODO` stands. At the end
# the notebook trains for a while and records the run with `record`: hand it in with its outputs.

# %%
import numpy as np
import torch
from torch import nn
from utils import pack_weights, record

# %% tags=["parameters"]
STEPS = 300
SEED = 1

# %% [markdown]
# ## 1 Smoothed cross-entropy (2 points)


# %%
def smoothed_loss(logits, y, smoothing):
    """The mean cross-entropy of logits (N, K) with smoothed targets, as a tensor with a gradient.

    The right class of each example, y (N,), gets the probability 1 - smoothing, and then each of the K
    classes smoothing / K more.
    """
    # TODO: write it with torch.log_softmax
    ### BEGIN SOLUTION
    logs = torch.log_softmax(logits, dim=1)
    right = logs[torch.arange(len(y)), y]
    return -((1 - smoothing) * right + smoothing * logs.mean(dim=1)).mean()
    ### END SOLUTION


# %% [markdown]
# ## 2 A function with its own gradient (3 points)
#
# `swish(x) = x * sigmoid(x)`, written as a `torch.autograd.Function`: you say what its gradient is.


# %%
class Swish(torch.autograd.Function):
    """x * sigmoid(x), entry by entry."""

    @staticmethod
    def forward(ctx, x):
        # TODO: keep what backward needs, and return the values
        ### BEGIN SOLUTION
        ctx.save_for_backward(x)
        return x * torch.sigmoid(x)
        ### END SOLUTION

    @staticmethod
    def backward(ctx, grad):
        # TODO: the gradient with respect to x, without torch.autograd
        ### BEGIN SOLUTION
        (x,) = ctx.saved_tensors
        s = torch.sigmoid(x)
        return grad * s * (1 + x * (1 - s))
        ### END SOLUTION


def swish(x):
    return Swish.apply(x)


# %% [markdown]
# ## 3 Model (2 points)


# %%
def make_model(inputs, hidden, classes):
    """A module: linear with `hidden` outputs, swish, and linear with `classes` outputs (logits)."""

    # TODO: return a torch.nn.Module; both layers have biases
    ### BEGIN SOLUTION
    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(inputs, hidden), nn.Linear(hidden, classes)

        def forward(self, x):
            return self.second(swish(self.first(x)))

    return Network()
    ### END SOLUTION


# %% [markdown]
# ## 4 Training (4 points)


# %%
def train(X, y, steps, seed):
    """A model with 32 hidden units, trained on X (N, D) and classes y (N,), and its losses.

    Adam with a rate of 0.02 takes `steps` steps, each on all examples, on `smoothed_loss` with smoothing 0.1.
    The losses are numbers: before each step, and after the last. The seed decides the first weights.
    """
    # TODO: X and y are numpy arrays; use torch.float32
    ### BEGIN SOLUTION
    torch.manual_seed(seed)
    X, y = torch.as_tensor(X, dtype=torch.float32), torch.as_tensor(y)
    model = make_model(X.shape[1], 32, int(y.max()) + 1)
    optimizer, losses = torch.optim.Adam(model.parameters(), lr=0.02), []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = smoothed_loss(model(X), y, 0.1)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        losses.append(smoothed_loss(model(X), y, 0.1).item())
    return model, losses
    ### END SOLUTION


# %% [markdown]
# ## 5 Prediction (2 points)


# %%
def predict(model, X):
    """The model's probabilities (N, K) for the numpy array X, as a numpy array.

    The model predicts in evaluation mode, without gradients, and is afterwards in the mode it was in.
    """
    # TODO: return the probabilities
    ### BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        found = torch.softmax(model(torch.as_tensor(X, dtype=torch.float32)), dim=1).numpy()
    model.train(was_training)
    return found
    ### END SOLUTION


# %% [markdown]
# ## 6 A whole run (2 points)
#
# Run this cell as it is. `record` keeps the losses and the trained weights in the saved notebook.

# %%
rings = np.load("rings.npz")
model, losses = train(rings["X"], rings["y"], STEPS, SEED)
names = ("W1", "b1", "W2", "b2")
record("6", losses=losses, weights=pack_weights(dict(zip(names, model.parameters(), strict=True)), "float32"))
print(f"loss {losses[0]:.3f}, after {STEPS} steps {losses[-1]:.3f}")

# %% [markdown]
# ## 7 What smoothing does (2 points)
#
# Why does the loss stay well above 0, and what is that good for?

# %% [markdown]
# #### Answer 7
#
# <!-- BEGIN SOLUTION -->
# The smoothed targets have an entropy of their own, and no prediction has a smaller cross-entropy than that.
# The best probability of the right class is below 1, so the logits need not grow forever, and the network is
# less sure of itself.
# <!-- END SOLUTION -->
