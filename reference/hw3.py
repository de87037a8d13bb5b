# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
#   kernelspec:
#     display_name: Python 3
#     language: python
#     name: python3
# ---

# %% [markdown]
# # HW3: neural networks (46 points)
#
# In part 3 you build a small neural network from nothing but numpy: the layers, backpropagation, a check
# that your gradients are right, and two optimizers. You then use it to study batch size, early stopping
# and momentum. In part 4 you train a character-level transformer and study what it writes.
#
# **How to work**
#
# - Write code only where a cell says `TODO`, and replace the line `raise NotImplementedError(...)` there.
#   Keep the names of classes, functions and arguments: your work is found by name.
# - After each coding item there is a cell `check("...")`. It runs the public tests on what you have
#   defined so far. The hidden tests ask the same things with other numbers and shapes.
# - Write prose in the cells that begin with *Answer*. Two to four sentences that refer to **your** plots
#   are better than a page.
# - Hand the notebook in **with its outputs**: your curves and generated text are graded from the saved
#   notebook, nobody repeats your long runs.
# - The given cells call `record("3.3.i", figure, ...)`. It shows the figure and keeps the numbers behind it
#   in the cell's output. Among them are your seed, the first losses and the trained weights. Grading computes
#   from the seed where your run begins and from the weights where it ends, and expects your curve to do so.
#   After you change code that trains, run everything once more before you hand in.
#
# **Files.** `utils.py` and the folder `data/` lie beside this notebook. On Colab upload both with the
# folder symbol on the left. It holds the full data sets, 11 MB in all: nothing is downloaded.

# %%
import copy

import matplotlib.pyplot as plt
import numpy as np
from utils import (
    DataSplit,
    FirstSteps,
    add_momentum,
    data_loader_mnist,
    load_text,
    pack_weights,
    predict_label,
    record,
    softmax_cross_entropy,
    weights_of,
)

try:
    from grader import check
except ImportError:

    def check(item_id):
        """Say where the public tests come from."""
        print(f"The public tests of {item_id} need the grader Chainrule; your course says how to get it.")


# %% [markdown]
# ## Parameters
#
# Every number that decides how long something runs stands in the next cell. The values are those of the
# questions. While you try things out, set `DATA = "subset"` and smaller numbers; set them back, restart
# and run everything before you hand in.

# %% tags=["parameters"]
DATA = "full"  # "subset" is a small part of it, to try things out
SEED = 42

# 3.1 and 3.2: the network and its training
HIDDEN = 128
LEARNING_RATE = 0.01
BATCH_SIZE = 5
MAX_EPOCHS = 200
PATIENCE = 3  # epochs without improvement before training stops
BATCH_SIZES = [1, 5, 50, 500, 5000]
UPDATES_PER_EPOCH = 10_000  # at most: with 10,000 examples an epoch is always the whole training set
EVAL_EXAMPLES = 10_000  # at most so many of each set measure accuracy and loss

# 3.3 and 3.4: early stopping and momentum
EARLY_STOP_EPOCHS = 30
ALPHAS = [0.1, 0.3, 0.5, 0.7, 0.9]
MOMENTUM_EPOCHS = 20

# 4.1: the transformer
TRANSFORMER_SEED = 1337
TRANSFORMER_STEPS = 5000
EVAL_EVERY = 100  # steps between two points of a loss curve
EVAL_BATCHES = 200  # mini-batches drawn for one point
EVAL_USED = 200  # how many of them are averaged
TRANSFORMER_BATCH = 16
TRANSFORMER_RATE = 1e-3
BLOCK_SIZE = 32  # characters the model can look back
EMBEDDING = 64
LAYERS = 4
N_HEADS = 4
BLOCK_SIZES = [2, 16, 64]
HEADS = [2, 4, 8]
GENERATED_CHARACTERS = 500

# %% [markdown]
# # Part 3: a multi-layer perceptron
#
# The data are 28 x 28 grey pictures of clothes in ten classes (Fashion-MNIST). Your network is
#
# $$ x \;\to\; \underbrace{a_1 = x W_1 + b_1}_{\text{linear}}
# \;\to\; \underbrace{h_1 = \max(a_1, 0)}_{\text{relu}}
# \;\to\; \underbrace{a_2 = h_1 W_2 + b_2}_{\text{linear}} \;\to\; \text{softmax and cross-entropy.} $$
#
# Examples are **rows**: a mini-batch `X` has shape `(N, D)`. Each module has two methods:
#
# - `forward(X)` gives the module's output;
# - `backward(X, grad)` gets the same `X` and `grad`, the gradient of the loss with respect to the
#   module's *output*, and returns the gradient with respect to its *input*. On the way it stores the
#   gradients of its own parameters.
#
# The loss is the **mean** over the mini-batch. Its module divides by $N$ once; `grad` already contains that
# $1/N$, and no other module divides again.
#
# ## 3.1 Modules and backpropagation

# %% [markdown]
# ### 3.1.1 Linear layer (6 points)
#
# A linear layer with weights $W \in \mathbb{R}^{D_{in} \times D_{out}}$ and bias
# $b \in \mathbb{R}^{1 \times D_{out}}$ computes $U = X W + b$. Let $G = \partial F / \partial U$ be what
# `backward` receives. The chain rule gives
#
# $$ \frac{\partial F}{\partial W} = X^\top G, \qquad
#    \frac{\partial F}{\partial b} = \sum_{n=1}^{N} G_n, \qquad
#    \frac{\partial F}{\partial X} = G\, W^\top. $$
#
# Do not only copy these: find them by looking at one entry, $U_{nj} = \sum_i X_{ni} W_{ij} + b_j$. Every
# row $n$ depends on the same $b_j$, which is why its gradient is a sum over rows.
#
# - `__init__` (2 points): draw `params["W"]`, then `params["b"]`, with
#   `np.random.normal(0, 0.1, size=...)`. Keep this order, so that your numbers are those of the handout.
#   Start `gradient["W"]` and `gradient["b"]` as zeros of the same shapes.
# - `forward` (2 points) returns $XW + b$.
# - `backward` (2 points) *stores* the two parameter gradients (the old ones are overwritten, not added
#   to) and returns the gradient with respect to `X`.
#
# *Hint:* check shapes first. A gradient always has the shape of what it belongs to.


# %%
class linear_layer:
    """U = X W + b, with W of shape (input_D, output_D) and b of shape (1, output_D)."""

    def __init__(self, input_D, output_D):
        self.params = {}
        self.gradient = {}
        # TODO: draw self.params["W"] and self.params["b"]; set self.gradient["W"] and ["b"] to zeros
        ### BEGIN SOLUTION
        self.params["W"] = np.random.normal(0, 0.1, size=(input_D, output_D))
        self.params["b"] = np.random.normal(0, 0.1, size=(1, output_D))
        self.gradient["W"] = np.zeros((input_D, output_D))
        self.gradient["b"] = np.zeros((1, output_D))
        ### END SOLUTION

    def forward(self, X):
        """X (N, input_D) -> (N, output_D)."""
        # TODO: return X W + b
        ### BEGIN SOLUTION
        return X @ self.params["W"] + self.params["b"]
        ### END SOLUTION

    def backward(self, X, grad):
        """X (N, input_D) and grad (N, output_D) -> the gradient with respect to X, (N, input_D)."""
        # TODO: store self.gradient["W"] and self.gradient["b"]; return the gradient with respect to X
        ### BEGIN SOLUTION
        self.gradient["W"] = X.T @ grad
        self.gradient["b"] = grad.sum(axis=0, keepdims=True)
        return grad @ self.params["W"].T
        ### END SOLUTION


# %%
check("3.1.1")

# %% [markdown]
# ### 3.1.2 ReLU (4 points)
#
# The rectifier works entry by entry and has no parameters:
#
# $$ \text{relu}(x) = \max(x, 0), \qquad
#    \frac{\partial F}{\partial X_{nd}} =
#    \begin{cases} G_{nd} & \text{if } X_{nd} > 0 \\ 0 & \text{if } X_{nd} < 0. \end{cases} $$
#
# It has no derivative at exactly 0; any choice there is accepted.
#
# - `forward` (2 points) returns a new array and leaves `X` as it is. Remember in `self.mask` which
#   entries were positive. `X` may have any shape.
# - `backward` (2 points) lets through the entries of `grad` that the mask names.


# %%
class relu:
    """max(x, 0), entry by entry."""

    def __init__(self):
        self.mask = None

    def forward(self, X):
        """X of any shape -> an array of the same shape."""
        # TODO: remember self.mask and return max(X, 0)
        ### BEGIN SOLUTION
        self.mask = X > 0
        return X * self.mask
        ### END SOLUTION

    def backward(self, X, grad):
        """The gradient with respect to X, of the shape of X."""
        # TODO: use the mask of the forward pass
        ### BEGIN SOLUTION
        return grad * self.mask
        ### END SOLUTION


# %%
check("3.1.2")

# %% [markdown]
# ### 3.1.3 Softmax and cross-entropy (given)
#
# The last module is in `utils.py`; read it. For scores $z = a_2$ of one example of class $y$ it computes
#
# $$ p_k = \frac{e^{z_k}}{\sum_j e^{z_j}}, \qquad F = -\log p_y, \qquad
#    \frac{\partial F}{\partial z_k} = p_k - [k = y], $$
#
# and averages over the mini-batch. Note what its gradient says: push the score of the true class up, and
# each other score down in proportion to how much the network believed in it.

# %% [markdown]
# ### 3.1.4 Backpropagation (4 points)
#
# The network is a dictionary of modules. `forward_pass` is given. It returns what went *into* and came
# *out of* each module, because the backward pass needs those again:
#
# | module | its input | its output |
# |---|---|---|
# | `L1` | `x` | `a1` |
# | `nonlinear1` | `a1` | `h1` |
# | `L2` | `h1` | `a2` |
# | `loss` | `a2` and `y` | the loss |
#
# Complete `backward_pass`: call `backward` of the other three modules, last one first. Each gets the
# input that it had in the forward pass, and the gradient that the module after it returned. Nothing is
# returned: the result is in the modules' `gradient`.
#
# *Hint:* passing `a1` where `h1` belongs gives arrays of the right shape and a wrong gradient.


# %%
def make_network(input_D, hidden_D, output_D):
    """A fresh network. The order of the draws is L1.W, L1.b, L2.W, L2.b."""
    return {
        "L1": linear_layer(input_D, hidden_D),
        "nonlinear1": relu(),
        "L2": linear_layer(hidden_D, output_D),
        "loss": softmax_cross_entropy(),
    }


def forward_pass(model, x, y):
    """What each module gave for the mini-batch, and the mean loss."""
    a1 = model["L1"].forward(x)
    h1 = model["nonlinear1"].forward(a1)
    a2 = model["L2"].forward(h1)
    loss = model["loss"].forward(a2, y)
    return a1, h1, a2, loss


# %%
def backward_pass(model, x, a1, h1, a2, y):
    """Leave the gradient of the mini-batch's loss in each module's `gradient`."""
    grad_a2 = model["loss"].backward(a2, y)
    # TODO: call the backward methods of L2, nonlinear1 and L1
    ### BEGIN SOLUTION
    grad_h1 = model["L2"].backward(h1, grad_a2)
    grad_a1 = model["nonlinear1"].backward(a1, grad_h1)
    model["L1"].backward(x, grad_a1)
    ### END SOLUTION


# %%
check("3.1.4")

# %% [markdown]
# ### 3.1.5 Gradient checker (4 points)
#
# A wrong gradient rarely crashes: the network just learns worse. So compare it with a number that needs
# no chain rule. For one parameter $w$ of the network and a small $\epsilon$, the central difference
#
# $$ \frac{\partial F}{\partial w} \approx \frac{F(w + \epsilon) - F(w - \epsilon)}{2 \epsilon} $$
#
# has an error of order $\epsilon^2$. (The one-sided $\frac{F(w + \epsilon) - F(w)}{\epsilon}$ has one of
# order $\epsilon$, which is far worse.)
#
# `gradient_checker` does this for the first entry of each of the four parameter arrays, on one example. The
# step to $w + \epsilon$ is given. Complete it: go to $w - \epsilon$, run `forward_pass` there, compute
# `approximate_gradient`, and **put the parameter back to where it was**.
#
# *Hint:* Python reads `a / 2 * e` as `(a / 2) * e`.


# %%
def gradient_checker(DataSet, model):
    """Print backpropagation's gradient beside the approximation, for four parameters."""
    x, y = DataSet.get_example([0])
    a1, h1, a2, _ = forward_pass(model, x, y)
    backward_pass(model, x, a1, h1, a2, y)
    epsilon_value = 1e-3

    for layer_name in ["L1", "L2"]:
        for param_name in ["W", "b"]:
            grad = np.ravel(model[layer_name].gradient[param_name])[0]
            epsilon = np.zeros(model[layer_name].params[param_name].shape)
            epsilon.flat[0] = epsilon_value

            model[layer_name].params[param_name] += epsilon
            _, _, _, f_w_add_epsilon = forward_pass(model, x, y)

            # TODO: the loss at w - epsilon, approximate_gradient, and w as it was
            ### BEGIN SOLUTION
            model[layer_name].params[param_name] -= 2 * epsilon
            _, _, _, f_w_minus_epsilon = forward_pass(model, x, y)
            approximate_gradient = (f_w_add_epsilon - f_w_minus_epsilon) / (2 * epsilon_value)
            model[layer_name].params[param_name] += epsilon
            ### END SOLUTION

            print(
                f"Check the gradient of {param_name} in the {layer_name} layer "
                f"from backpropagation: {grad:f} and from approximation: {approximate_gradient:f}"
            )


# %%
check("3.1.5")

# %% [markdown]
# Now the real network and the real data. `fresh_start` sets the seed, loads the data and draws the
# parameters, always in this order, so that every experiment below begins at the same point.
#
# On the full data you should read the same number twice in each line: `0.000000`, `0.129579`, `0.004011`,
# `0.121975`. The first is 0 because the top left pixel is black: one entry on one example proves little,
# which is why the hidden tests compare all entries on random data.


# %%
def fresh_start():
    """The three data sets and a newly drawn network."""
    np.random.seed(SEED)
    Xtrain, Ytrain, Xval, Yval, Xtest, Ytest = data_loader_mnist(DATA)
    sets = {
        "train": DataSplit(Xtrain, Ytrain),
        "validation": DataSplit(Xval, Yval),
        "test": DataSplit(Xtest, Ytest),
    }
    return sets, make_network(sets["train"].d, HIDDEN, 10)


sets, model = fresh_start()
print(", ".join(f"{name}: {split.N} examples" for name, split in sets.items()))
gradient_checker(sets["train"], model)

# %% [markdown]
# The gradient of a mini-batch is an estimate of the gradient of the whole training set, and an unbiased
# one whatever the batch size. So is the sum of its entries, which `magnitude_checker` prints for 50 and
# for 5000 examples: it varies, but it must not grow or shrink with the batch. On the full data you should
# read `148.290031` and `117.085383`. If yours differ by a factor of about 100, there is a $1/N$ too many or
# too few.


# %%
def magnitude_checker(DataSet, model, sizes=(50, 5000)):
    """Print the sum of the entries of the gradient of L1.W for two batch sizes."""
    sums = []
    for size in sizes:
        x, y = DataSet.get_example(np.arange(min(size, DataSet.N)))
        a1, h1, a2, _ = forward_pass(model, x, y)
        backward_pass(model, x, a1, h1, a2, y)
        sums.append(model["L1"].gradient["W"].sum())
    print(
        "Check the magnitude of the gradient of W in the L1 layer "
        f"with batch size {sizes[0]}: {sums[0]:f} and with batch size {sizes[1]}: {sums[1]:f}"
    )


magnitude_checker(sets["train"], model)

# %% [markdown]
# ### Training (given)
#
# Stochastic gradient descent goes through the training set in a new random order each epoch and makes one
# step $w \leftarrow w - \eta \nabla F(w)$ per mini-batch. After each epoch the accuracy on the validation
# set decides about **early stopping**: when it has not reached its best value again for `patience` epochs
# in a row, training ends, and the parameters of the best epoch are the result. (A tie with the best
# counts as an improvement.)
#
# Read the training loop: you will need to know what is random and what is not. The printed loss is a sum
# over chunks of 1000 examples, each chunk's loss being a mean.


# %%
def miniBatchGradientDescent(model, _learning_rate):
    """One step of plain gradient descent on every parameter; the model is changed and returned."""
    for module in model.values():
        if hasattr(module, "params"):
            for key, gradient in module.gradient.items():
                module.params[key] -= _learning_rate * np.reshape(gradient, module.params[key].shape)
    return model


def compute_accuracy_loss(N_data, DataSet, model, minibatch_size=1000):
    """Accuracy, and the sum of the chunks' mean losses, over the first N_data examples."""
    correct = 0
    loss = 0.0
    for start in range(0, N_data, minibatch_size):
        x, y = DataSet.get_example(np.arange(start, min(start + minibatch_size, N_data)))
        _, _, a2, chunk_loss = forward_pass(model, x, y)
        correct += np.sum(predict_label(a2) == y)
        loss += chunk_loss
    return float(correct / N_data), float(loss)


def best_epoch(accuracies):
    """The epoch (counted from 1) of the highest accuracy; of equal ones the last."""
    return len(accuracies) - accuracies[::-1].index(max(accuracies))


# %%
def updates_per_epoch(train_set, batch_size):
    """How many mini-batches an epoch has; what does not fill one is left out."""
    return min(train_set.N // batch_size, UPDATES_PER_EPOCH)


def train_epoch(train_set, model, batch_size, update, first_steps):
    """One pass over the training set in random order."""
    order = np.random.permutation(train_set.N)
    for number in range(updates_per_epoch(train_set, batch_size)):
        rows = order[number * batch_size : (number + 1) * batch_size]
        x, y = train_set.get_example(rows)
        a1, h1, a2, loss = forward_pass(model, x, y)
        first_steps.add(loss, rows)
        backward_pass(model, x, a1, h1, a2, y)
        model = update(model, LEARNING_RATE)
    return model


def train(sets, model, batch_size, max_epochs, patience=None, update=miniBatchGradientDescent):
    """Train and return the history: lists with one entry per epoch, and the test accuracy at the best epoch.

    With patience=None there is no early stopping. The first losses and the weights are kept for `record`.
    """
    first_steps = FirstSteps(8)
    history = {"loss": [], "train": [], "validation": [], "test": []}
    best_model = model
    for epoch in range(1, max_epochs + 1):
        history["weights_before_last_epoch"] = pack_weights(weights_of(model), "float32")
        model = train_epoch(sets["train"], model, batch_size, update, first_steps)
        for name, split in sets.items():
            accuracy, loss = compute_accuracy_loss(min(split.N, EVAL_EXAMPLES), split, model)
            history[name].append(accuracy)
            if name == "train":
                history["loss"].append(loss)
        best = best_epoch(history["validation"])
        if best == epoch:
            best_model = copy.deepcopy(model)
        if patience is not None and epoch - best >= patience:
            break
    history["best_epoch"] = best
    history["updates"] = best * updates_per_epoch(sets["train"], batch_size)
    examples = min(sets["test"].N, EVAL_EXAMPLES)
    history["test_at_best"], _ = compute_accuracy_loss(examples, sets["test"], best_model)
    history["first_steps"] = first_steps.as_data()
    history["weights"] = pack_weights(weights_of(model))
    return history


# %% [markdown]
# On the full data with batch size 5 the first two epochs give the losses `6.0568539` and `5.1730949`,
# training stops after 13 epochs, and the network of epoch 10 is right on 0.8435 of the test pictures.

# %%
first_run = train(*fresh_start(), batch_size=BATCH_SIZE, max_epochs=MAX_EPOCHS, patience=PATIENCE)
columns = zip(first_run["loss"], first_run["train"], first_run["validation"], strict=True)
for epoch, (loss, on_train, on_validation) in enumerate(columns, start=1):
    print(f"epoch {epoch}: loss {loss:.12g}, accuracy {on_train:.4f} train, {on_validation:.4f} validation")
print(f"best epoch: {first_run['best_epoch']}, test accuracy there: {first_run['test_at_best']:.4f}")

# %% [markdown]
# ## 3.2 The effect of the batch size
#
# Train once with each batch size in `BATCH_SIZES`, everything else as before. This takes a few minutes on
# the full data. (A batch size larger than the training set is skipped.)

# %%
batch_runs = {}
for batch_size in BATCH_SIZES:
    sets, model = fresh_start()
    if batch_size > sets["train"].N:
        continue
    batch_runs[batch_size] = train(sets, model, batch_size, MAX_EPOCHS, PATIENCE)

print("batch  epochs  best epoch  updates to best  test accuracy")
for batch_size, run in batch_runs.items():
    epochs, best, updates = len(run["loss"]), run["best_epoch"], run["updates"]
    print(f"{batch_size:5}  {epochs:6}  {best:10}  {updates:15}  {run['test_at_best']:13.4f}")

# %%
_, (left, middle, right) = plt.subplots(1, 3, figsize=(13, 3.6), layout="constrained")
for batch_size, run in batch_runs.items():
    left.plot(range(1, len(run["validation"]) + 1), run["validation"], label=f"batch size {batch_size}")
left.set(xlabel="epoch", ylabel="validation accuracy", xscale="log")
left.legend()
sizes = list(batch_runs)
middle.plot(sizes, [run["updates"] for run in batch_runs.values()], "o-")
middle.set(xlabel="batch size", ylabel="gradient updates to the best epoch", xscale="log", yscale="log")
right.plot(sizes, [run["test_at_best"] for run in batch_runs.values()], "o-")
right.set(xlabel="batch size", ylabel="test accuracy at the best epoch", xscale="log")
plt.show()

# %% [markdown]
# ### 3.2.3.i Speed (2 points)
#
# Does a smaller batch size guarantee faster training? Why do you think this is the case?

# %% [markdown]
# #### Answer 3.2.3.i
#
# <!-- BEGIN SOLUTION -->
# No. With small batches many more updates are needed until training has converged: here 130,000 with
# batch size 1 against 20,000 with 5 and 8,600 with 50. And an update with a few examples costs hardly
# more than one with a single example: memory is read in blocks and matrix products use the processor's
# vector units, so work on several examples at once is nearly free. The smallest batch wastes that.
# <!-- END SOLUTION -->

# %% [markdown]
# ### 3.2.3.ii Accuracy (2 points)
#
# Does a larger batch size imply higher test accuracy? Why do you think this is the case?

# %% [markdown]
# #### Answer 3.2.3.ii
#
# <!-- BEGIN SOLUTION -->
# No, here the test accuracy falls from about 0.85 with batch size 1 to below 0.70 with 5000. The gradient
# of a small batch is noisy, and this noise keeps the parameters from settling in the first sharp minimum,
# which helps the network to generalize. A large batch also makes few steps per epoch, so that early
# stopping meets it before it has got far.
# <!-- END SOLUTION -->

# %% [markdown]
# ### 3.2.3.iii Number of updates (2 points)
#
# Does a larger batch size imply fewer gradient updates to converge? Why do you think this is the case?

# %% [markdown]
# #### Answer 3.2.3.iii
#
# <!-- BEGIN SOLUTION -->
# Yes: the number of updates falls with every larger batch, from 130,000 to 316. Every mini-batch gradient
# is an unbiased estimate of the full gradient, but that of a larger batch has the smaller variance. Its
# steps point in a better direction, so fewer of them are needed.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 3.3 The effect of early stopping
#
# What would have happened after the point where training stopped? Train for `EARLY_STOP_EPOCHS` epochs
# without early stopping and look.

# %% [markdown]
# ### 3.3.i Accuracy curves (2 points)
#
# Plot training, validation and test accuracy against the epoch, and mark the epoch at which early
# stopping with the usual patience would have ended training. The code is given; it needs your layers.


# %%
def early_stop_epoch(accuracies, patience):
    """The epoch after which early stopping ends training, or None if it would run on."""
    for epoch in range(1, len(accuracies) + 1):
        if epoch - best_epoch(accuracies[:epoch]) >= patience:
            return epoch
    return None


early_run = train(*fresh_start(), batch_size=BATCH_SIZE, max_epochs=EARLY_STOP_EPOCHS)
early_run["stopped_at"] = early_stop_epoch(early_run["validation"], PATIENCE)
print(f"early stopping would have ended training after epoch {early_run['stopped_at']}")

# %%
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for name in ["train", "validation", "test"]:
    axes.plot(range(1, len(early_run[name]) + 1), early_run[name], label=name)
if early_run["stopped_at"] is not None:
    axes.axvline(early_run["stopped_at"], color="black", linestyle="--", label="early stopping")
axes.set(xlabel="epoch", ylabel="accuracy", title=f"No early stopping, batch size {BATCH_SIZE}")
axes.legend()
kept = ["train", "validation", "test", "loss", "stopped_at", "first_steps"]
weights = early_run["weights_before_last_epoch"]
record("3.3.i", figure, **{name: early_run[name] for name in kept}, weights=weights)

# %% [markdown]
# ### 3.3.ii After the early-stopped point (2 points)
#
# What is the trend of training and test accuracy after the early-stopped point?

# %% [markdown]
# #### Answer 3.3.ii
#
# <!-- BEGIN SOLUTION -->
# The training accuracy goes on rising. Validation and test accuracy do not follow: they fluctuate around
# the level they had reached, so what the network still learns is particular to the training set.
# <!-- END SOLUTION -->

# %% [markdown]
# ### 3.3.iii Too little patience (2 points)
#
# With patience $k$, training ends when the validation accuracy has not improved for $k$ epochs in a row.
# Based on your plot, what could go wrong if $k$ is too small?

# %% [markdown]
# #### Answer 3.3.iii
#
# <!-- BEGIN SOLUTION -->
# The validation accuracy goes up and down by chance from epoch to epoch even while the network still
# improves. With too small a patience one such small dip ends training, and we keep a network that is
# worse than what a few more epochs would have given.
# <!-- END SOLUTION -->

# %% [markdown]
# ## 3.4 Momentum
#
# Plain gradient descent forgets each gradient at once. Momentum keeps a running sum, the velocity $v$,
# which starts at 0:
#
# $$ v \leftarrow \alpha v + \nabla F(w), \qquad w \leftarrow w - \eta v. $$
#
# Directions on which successive gradients agree add up; those on which they disagree cancel. $\alpha = 0$
# is plain gradient descent. If all gradients were equal to $g$, $v$ would approach $g / (1 - \alpha)$.

# %% [markdown]
# ### 3.4.momentum One step with momentum (2 points)
#
# Complete `sgd_with_momentum`. `velocity` is a dictionary from `(module name, parameter name)` to an
# array of the parameter's shape, zeros before the first step. Update **both** the velocities in the
# dictionary, so that the next call finds them, and the parameters. Return the model.


# %%
def sgd_with_momentum(model, velocity, _learning_rate, alpha):
    """One step on every parameter; model and velocity are changed, the model is returned."""
    # TODO: update velocity and parameter, for every parameter of every module
    ### BEGIN SOLUTION
    for name, module in model.items():
        if hasattr(module, "params"):
            for key, gradient in module.gradient.items():
                v = alpha * velocity[name, key] + np.reshape(gradient, module.params[key].shape)
                velocity[name, key] = v
                module.params[key] -= _learning_rate * v
    return model
    ### END SOLUTION


# %%
check("3.4.momentum")

# %% [markdown]
# ### 3.4.i Loss curves (2 points)
#
# Train with each $\alpha$ in `ALPHAS` for `MOMENTUM_EPOCHS` epochs and plot the training loss. The code
# is given.


# %%
def train_with_momentum(alpha):
    """The history of a run with momentum and no early stopping."""
    sets, model = fresh_start()
    velocity = add_momentum(model)

    def update(model, rate):
        return sgd_with_momentum(model, velocity, rate, alpha)

    return train(sets, model, BATCH_SIZE, MOMENTUM_EPOCHS, update=update)


momentum_runs = {alpha: train_with_momentum(alpha) for alpha in ALPHAS}
for alpha, run in momentum_runs.items():
    print(
        f"alpha {alpha}: loss {run['loss'][-1]:.4f} after the last epoch, lowest {min(run['loss']):.4f}, "
        f"best validation accuracy {max(run['validation']):.4f} at epoch {run['best_epoch']}"
    )

# %%
figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
for alpha, run in momentum_runs.items():
    axes.plot(range(1, len(run["loss"]) + 1), run["loss"], label=rf"$\alpha$ = {alpha}")
axes.set(xlabel="epoch", ylabel="training loss", title=f"Momentum, batch size {BATCH_SIZE}")
axes.legend()
kept = ["loss", "validation", "first_steps", "weights"]
record(
    "3.4.i", figure, runs={alpha: {name: run[name] for name in kept} for alpha, run in momentum_runs.items()}
)

# %% [markdown]
# ### 3.4.ii A good amount of momentum (2 points)
#
# Based on your curves, what is a suitable value of $\alpha$? How much, then, should training rely on
# earlier gradients for good convergence?

# %% [markdown]
# #### Answer 3.4.ii
#
# <!-- BEGIN SOLUTION -->
# 0.5 or 0.7. From 0.1 up to there the loss falls faster and lower, so relying on earlier gradients helps
# convergence. With 0.9 it is the other way round: steps are too long and mostly repeat old directions,
# the loss jumps about and stays higher. Earlier gradients should count, but not too much.
# <!-- END SOLUTION -->

# %% [markdown]
# # Part 4: a transformer that writes Shakespeare
#
# ## 4.1 Training the model
#
# There is nothing to implement in this part: read the model, train it, and look closely at what comes
# out. On a GPU (Colab: *Runtime*, *Change runtime type*) one run takes some minutes.
#
# The model reads up to `BLOCK_SIZE` characters and predicts the next one, at every position at once. It
# is a stack of blocks with causal self-attention: in each head every position asks a question (query),
# offers a key and a value, and receives the average of the values of itself and of earlier positions,
# weighted by how well key and query agree:
#
# $$ \text{attention}(Q, K, V) = \text{softmax}\left(\frac{Q K^\top}{\sqrt{n_{\text{embd}}}} + M\right) V,
#    \qquad M_{ij} = \begin{cases} 0 & j \le i \\ -\infty & j > i. \end{cases} $$
#
# The mask $M$ hides the future: without it the model would simply read off the answer.

# %%
import torch
from torch import nn

DEVICE = "cuda" if torch.cuda.is_available() else "cpu"

text = load_text(DATA)
alphabet = sorted(set(text))
number_of = {character: number for number, character in enumerate(alphabet)}
encoded = torch.tensor([number_of[character] for character in text])
split_at = int(0.9 * len(encoded))
corpus = {"train": encoded[:split_at], "validation": encoded[split_at:]}
print(f"{len(text):,} characters, {len(alphabet)} distinct. The text begins:\n\n{text[:200]}")


# %%
class AttentionHead(nn.Module):
    """One head of causal self-attention."""

    def __init__(self, width, head_size):
        super().__init__()
        self.key = nn.Linear(width, head_size, bias=False)
        self.query = nn.Linear(width, head_size, bias=False)
        self.value = nn.Linear(width, head_size, bias=False)
        self.scale = width**-0.5

    def forward(self, x):
        """x (batch, time, width) -> (batch, time, head_size)."""
        time = x.shape[1]
        agreement = self.query(x) @ self.key(x).transpose(1, 2) * self.scale
        future = torch.ones(time, time, dtype=torch.bool, device=x.device).triu(diagonal=1)
        weights = nn.functional.softmax(agreement.masked_fill(future, float("-inf")), dim=-1)
        return weights @ self.value(x)


class Block(nn.Module):
    """Attention, then a small network at each position; each is added to what came in."""

    def __init__(self, width, n_heads):
        super().__init__()
        self.heads = nn.ModuleList(AttentionHead(width, width // n_heads) for _ in range(n_heads))
        self.mix = nn.Linear(width, width)
        self.think = nn.Sequential(nn.Linear(width, 4 * width), nn.ReLU(), nn.Linear(4 * width, width))
        self.norm1 = nn.LayerNorm(width)
        self.norm2 = nn.LayerNorm(width)

    def forward(self, x):
        """x (batch, time, width) -> the same shape."""
        attended = self.norm1(x)
        x = x + self.mix(torch.cat([head(attended) for head in self.heads], dim=-1))
        return x + self.think(self.norm2(x))


# %%
class CharacterTransformer(nn.Module):
    """Scores for the next character after each position."""

    def __init__(self, n_characters, block_size, n_heads):
        super().__init__()
        self.block_size = block_size
        self.character = nn.Embedding(n_characters, EMBEDDING)
        self.position = nn.Embedding(block_size, EMBEDDING)
        self.blocks = nn.Sequential(*[Block(EMBEDDING, n_heads) for _ in range(LAYERS)])
        self.norm = nn.LayerNorm(EMBEDDING)
        self.score = nn.Linear(EMBEDDING, n_characters)

    def forward(self, x):
        """x (batch, time) of character numbers -> scores (batch, time, characters)."""
        positions = torch.arange(x.shape[1], device=x.device)
        return self.score(self.norm(self.blocks(self.character(x) + self.position(positions))))


def loss_of(model, x, y):
    """Mean cross-entropy of predicting y (batch, time) from x (batch, time)."""
    return nn.functional.cross_entropy(model(x).flatten(0, 1), y.flatten())


# %%
@torch.no_grad()
def generate(model, n_characters, seed=0):
    """Text that the model writes: each character is drawn from its predictions and then fed back.

    Draws have a random generator of their own, so generating does not change a later training run.
    """
    generator = torch.Generator().manual_seed(seed)
    numbers = [0]
    for _ in range(n_characters):
        context = torch.tensor([numbers[-model.block_size :]], device=DEVICE)
        chances = nn.functional.softmax(model(context)[0, -1], dim=-1).cpu()
        numbers.append(int(torch.multinomial(chances, 1, generator=generator)))
    return "".join(alphabet[number] for number in numbers[1:])


def pieces_at(part, starts, block_size):
    """Pieces x of the text and the same one character later, y: both (number of starts, block_size)."""
    pieces = corpus[part][starts[:, None] + torch.arange(block_size + 1)].to(DEVICE)
    return pieces[:, :-1], pieces[:, 1:]


@torch.no_grad()
def average_loss(model, part):
    """The loss on a part of the text, averaged over random mini-batches.

    EVAL_BATCHES are drawn and EVAL_USED used, so that a short run draws the same numbers as a long one.
    """
    block_size = model.block_size
    draws = torch.randint(len(corpus[part]) - block_size, (EVAL_BATCHES, TRANSFORMER_BATCH))
    used, total = draws[:EVAL_USED], 0.0
    for some in used.split(10):  # ten at once are faster than one after the other
        total += len(some) * loss_of(model, *pieces_at(part, some.flatten(), block_size)).item()
    return total / len(used)


# %%
def train_transformer(block_size, n_heads):
    """Train from scratch; returns the loss curves and the text generated before and after."""
    torch.manual_seed(TRANSFORMER_SEED)
    model = CharacterTransformer(len(alphabet), block_size, n_heads).to(DEVICE)
    optimizer = torch.optim.AdamW(model.parameters(), lr=TRANSFORMER_RATE)
    run = {"steps": [], "train": [], "validation": [], "before": generate(model, GENERATED_CHARACTERS)}
    run["parameter_count"] = sum(parameter.numel() for parameter in model.parameters())
    print(f"block size {block_size}, {n_heads} heads: {run['parameter_count']:,} parameters")

    first_steps = FirstSteps(3)
    for step in range(TRANSFORMER_STEPS):
        if step % EVAL_EVERY == 0 or step == TRANSFORMER_STEPS - 1:
            run["steps"].append(step)
            for part in ["train", "validation"]:
                run[part].append(average_loss(model, part))
        starts = torch.randint(len(corpus["train"]) - block_size, (TRANSFORMER_BATCH,))
        x, y = pieces_at("train", starts, block_size)
        loss = loss_of(model, x, y)
        first_steps.add(loss, starts)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    run["after"] = generate(model, GENERATED_CHARACTERS)
    run["first_steps"], run["weights"] = first_steps.as_data(), pack_weights(model.state_dict())
    print(f"loss at the last step: {run['train'][-1]:.4f} train, {run['validation'][-1]:.4f} validation")
    return run


def plot_losses(runs):
    """A figure of the training and validation loss of each run, given by its label."""
    figure, axes = plt.subplots(figsize=(7, 4), layout="constrained")
    for number, (label, run) in enumerate(runs.items()):
        axes.plot(run["steps"], run["train"], color=f"C{number}", linestyle="--", label=f"{label}: train")
        axes.plot(run["steps"], run["validation"], color=f"C{number}", label=f"{label}: validation")
    axes.set(xlabel="step", ylabel="loss per character")
    axes.legend()
    return figure


def curves_of(run):
    """What is recorded of a run besides its text."""
    return {
        "steps": run["steps"],
        "train_loss": run["train"],
        "val_loss": run["validation"],
        "parameter_count": run["parameter_count"],
        "first_steps": run["first_steps"],
        "weights": run["weights"],
    }


# %% [markdown]
# ### 4.1.i.generation Before and after training (1 point)
#
# Let the model write before its first training step, train it, and let it write again. With tiny
# Shakespeare it has 209,729 parameters, and its loss falls from 4.41 to about 1.66 on the training and
# 1.82 on the validation text. (Knowing nothing and saying so would be a loss of $\ln 65 = 4.17$.)

# %%
default_run = train_transformer(BLOCK_SIZE, N_HEADS)
print(f"\n--- before training ---\n{default_run['before']}\n\n--- after training ---\n{default_run['after']}")
record("4.1.i.generation", before=default_run["before"], after=default_run["after"])

# %% [markdown]
# ### 4.1.i.answer What it writes (2 points)
#
# Compare the two texts with each other and with the training data. Do they look similar? Why does the
# model not write like an article of Wikipedia, for example?

# %% [markdown]
# #### Answer 4.1.i.answer
#
# <!-- BEGIN SOLUTION -->
# Before training the text is a random mix of characters. After training it has the look of the plays:
# speakers' names with a colon, verses of the right length, mostly English or English-looking words,
# though the sentences mean little. It does not write like Wikipedia because it has seen nothing but
# Shakespeare: it learned how likely each character is after the characters before it *in that text*, and
# draws from this distribution.
# <!-- END SOLUTION -->

# %% [markdown]
# ### 4.1.ii Loss curve (1 point)
#
# Training and validation loss during training.

# %%
figure = plot_losses({f"block size {BLOCK_SIZE}, {N_HEADS} heads": default_run})
record("4.1.ii", figure, **curves_of(default_run))

# %% [markdown]
# ### 4.1.iii.curves Sequence length: curves and text (2 points)
#
# Train from scratch with each block size in `BLOCK_SIZES`. The block size is how far the model can look
# back.

# %%
block_runs = {block_size: train_transformer(block_size, N_HEADS) for block_size in BLOCK_SIZES}
figure = plot_losses({f"block size {block_size}": run for block_size, run in block_runs.items()})
runs = {block_size: {**curves_of(run), "text": run["after"]} for block_size, run in block_runs.items()}
record("4.1.iii.curves", figure, runs=runs)

# %%
for block_size, run in block_runs.items():
    print(f"--- block size {block_size} ---\n{run['after']}\n")

# %% [markdown]
# ### 4.1.iii.answer Sequence length: what changes (1 point)
#
# How does the sequence length change what the model writes?

# %% [markdown]
# #### Answer 4.1.iii.answer
#
# <!-- BEGIN SOLUTION -->
# With block size 2 the model sees only two characters: it gets common pairs and triples right, but few
# words, and the loss stays far higher (about 2.4). With 16 most words are words, and with 64 lines, names
# and speeches hang together better and the loss is lowest (about 1.8). More context helps, with a smaller
# gain each time.
# <!-- END SOLUTION -->

# %% [markdown]
# ### 4.1.iv.curves Number of heads: curves and text (2 points)
#
# Train from scratch with each number of heads in `HEADS`. The width of the model stays the same: more
# heads are smaller heads.

# %%
head_runs = {n_heads: train_transformer(BLOCK_SIZE, n_heads) for n_heads in HEADS}
figure = plot_losses({f"{n_heads} heads": run for n_heads, run in head_runs.items()})
runs = {n_heads: {**curves_of(run), "text": run["after"]} for n_heads, run in head_runs.items()}
record("4.1.iv.curves", figure, runs=runs)

# %%
for n_heads, run in head_runs.items():
    print(f"--- {n_heads} heads ---\n{run['after']}\n")

# %% [markdown]
# ### 4.1.iv.answer Number of heads: what changes (1 point)
#
# How does the number of heads change the loss curves?

# %% [markdown]
# #### Answer 4.1.iv.answer
#
# <!-- BEGIN SOLUTION -->
# Hardly at all. The heads share a fixed width, so the number of parameters is the same with 2, 4 and 8
# heads, and the curves lie on one another: the final validation losses differ by about 0.03, no more than
# another seed would change them. More heads can attend to more things at once, but each is narrower.
# <!-- END SOLUTION -->
