"""The official solution as a student's notebook and as a script: what every example varies."""

from __future__ import annotations

from .text import TextNotebook, notebook

OFFICIAL = r"""
# %% [markdown]
# HW3: neural networks

Everything below is my own work.
# %%
import numpy as np
from utils import softmax_cross_entropy, DataSplit, predict_label
# %% [markdown]
### 3.1.1 Linear layer (6 points)
# %%
class linear_layer:

    def __init__(self, input_D, output_D):
        self.params = dict()
        self.params['W'] = np.random.normal(0, 0.1, size=(input_D, output_D))
        self.params['b'] = np.random.normal(0, 0.1, size=(1, output_D))
        self.gradient = dict()
        self.gradient['W'] = np.zeros(shape=(input_D, output_D))
        self.gradient['b'] = np.zeros(shape=(1, output_D))

    def forward(self, X):
        forward_output = X @ self.params['W'] + self.params['b']
        return forward_output

    def backward(self, X, grad):
        self.gradient['W'] = X.T @ grad
        self.gradient['b'] = np.sum(grad, axis=0)
        backward_output = grad @ self.params['W'].T
        return backward_output
# %% [markdown]
### 3.1.2 ReLU (4 points)
# %%
class relu:

    def __init__(self):
        self.mask = None

    def forward(self, X):
        self.mask = (X > 0).astype(int)
        forward_output = X * self.mask
        return forward_output

    def backward(self, X, grad):
        backward_output = grad * self.mask
        return backward_output
# %% [markdown]
### 3.1.4 Backpropagation (4 points)
# %%
def forward_pass(model, x, y):
    a1 = model['L1'].forward(x)
    h1 = model['nonlinear1'].forward(a1)
    a2 = model['L2'].forward(h1)
    loss = model['loss'].forward(a2, y)
    return a1, h1, a2, loss
# %%
def backward_pass(model, x, a1, h1, a2, y):
    grad_a2 = model['loss'].backward(a2, y)
    grad_h1 = model['L2'].backward(h1, grad_a2)
    grad_a1 = model['nonlinear1'].backward(a1, grad_h1)
    grad_x = model['L1'].backward(x, grad_a1)
# %% [markdown]
### 3.1.5 Gradient checker (4 points)
# %%
def gradient_checker(DataSet, model):
    x, y = DataSet.get_example([0])
    a1, h1, a2, _ = forward_pass(model, x, y)
    backward_pass(model, x, a1, h1, a2, y)
    epsilon_value = 1e-3
    for layer_name in ['L1', 'L2']:
        for param_name in ['W', 'b']:
            first = (0, 0) if param_name == 'W' else 0
            grad = model[layer_name].gradient[param_name][first]
            epsilon = np.zeros(model[layer_name].params[param_name].shape)
            epsilon[0, 0] = epsilon_value
            model[layer_name].params[param_name] += epsilon
            _, _, _, f_w_add_epsilon = forward_pass(model, x, y)
            model[layer_name].params[param_name] -= 2 * epsilon
            _, _, _, f_w_minus_epsilon = forward_pass(model, x, y)
            approximate_gradient = (f_w_add_epsilon - f_w_minus_epsilon) / (2 * epsilon_value)
            model[layer_name].params[param_name] += epsilon
            print("Check the gradient of %s in the %s layer from backpropagation: %f and from approximation: %f"
                  % (param_name, layer_name, grad, approximate_gradient))
# %%
np.random.seed(42)
toy = DataSplit(np.random.rand(60, 8), np.random.randint(3, size=(60, 1)))
model = {'L1': linear_layer(8, 16), 'nonlinear1': relu(), 'L2': linear_layer(16, 3), 'loss': softmax_cross_entropy()}
gradient_checker(toy, model)
# prints
Check the gradient of W in the L1 layer from backpropagation: 0.000000 and from approximation: 0.000000
Check the gradient of b in the L1 layer from backpropagation: 0.000000 and from approximation: 0.000000
Check the gradient of W in the L2 layer from backpropagation: 0.000000 and from approximation: 0.000000
Check the gradient of b in the L2 layer from backpropagation: -0.676363 and from approximation: -0.676363
# %% [markdown]
### 3.4.momentum One step with momentum (2 points)
# %%
def sgd_with_momentum(model, velocity, _learning_rate, alpha):
    for name, module in model.items():
        if hasattr(module, 'params'):
            for key in module.params:
                v = alpha * velocity[(name, key)] + module.gradient[key]
                velocity[(name, key)] = v
                module.params[key] = module.params[key] - _learning_rate * v
    return model
# %%
velocity = {(name, key): np.zeros_like(value)
            for name, module in model.items() if hasattr(module, 'params')
            for key, value in module.params.items()}
for epoch in range(5):
    a1, h1, a2, loss = forward_pass(model, toy.X, toy.Y)
    backward_pass(model, toy.X, a1, h1, a2, toy.Y)
    model = sgd_with_momentum(model, velocity, 0.1, 0.5)
    print('epoch', epoch, 'loss', round(float(loss), 4), 'accuracy', np.mean(predict_label(a2) == toy.Y))
# prints
epoch 0 loss 1.106 accuracy 0.25
epoch 1 loss 1.1039 accuracy 0.23333333333333334
epoch 2 loss 1.101 accuracy 0.2833333333333333
epoch 3 loss 1.098 accuracy 0.35
epoch 4 loss 1.0952 accuracy 0.4166666666666667
epoch 4 loss 1.0933 accuracy 0.36666666666666664
# %% [markdown]
#### Answer 3.2.3.i

No. Smaller batches need more updates, and each update costs nearly the same time.
"""

SCRIPT_HEAD = '''"""HW3: a multi-layer perceptron in numpy."""
import sys
import argparse
import json
import numpy as np
from utils import softmax_cross_entropy, add_momentum, data_loader_mnist, predict_label, DataSplit

### Modules ###

'''

SCRIPT_MAIN = """
def main(main_params):
    raise RuntimeError("the main function of the script was run while grading")


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument('--random_seed', default=42)
    parser.add_argument('--learning_rate', default=0.01)
    parser.add_argument('--alpha', default=0.0)
    parser.add_argument('--minibatch_size', default=5)
    parser.add_argument('--num_epoch', default=10)
    parser.add_argument('--check_gradient', action="store_true")
    args = parser.parse_args()
    sys.exit(main(vars(args)))
"""


def official() -> TextNotebook:
    """The whole notebook: 3.1, the momentum step, a little training and one written answer."""
    return notebook(OFFICIAL)


def script(*, without: tuple[str, ...] = (), edits: tuple[tuple[str, str], ...] = ()) -> str:
    """The same work as a course's ``neural_networks.py``: definitions between ``utils`` and an argparse main.

    ``without`` leaves out cells that hold one of these texts; ``edits`` are (old, new) replacements.
    """
    work = official()
    for old, new in edits:
        work = work.edit(old, new)
    definitions = [
        cell.source
        for cell in work.cells
        if cell.kind == "code"
        and cell.source.lstrip().startswith(("class ", "def "))
        and not any(text in cell.source for text in without)
    ]
    return SCRIPT_HEAD + "\n\n\n".join(definitions) + "\n\n" + SCRIPT_MAIN
