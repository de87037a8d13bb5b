"""Right answers in many styles, beginning with the official solution: all of them score full marks."""

from __future__ import annotations

from .text import TextNotebook
from .official import official


def official_solution() -> TextNotebook:
    return official()


def einsum() -> TextNotebook:
    return (
        official()
        .edit(
            "X @ self.params['W'] + self.params['b']",
            "np.einsum('ni,io->no', X, self.params['W']) + self.params['b']",
        )
        .edit("X.T @ grad", "np.einsum('ni,no->io', X, grad)")
        .edit("np.sum(grad, axis=0)", "np.einsum('no->o', grad)")
        .edit("grad @ self.params['W'].T", "np.einsum('no,io->ni', grad, self.params['W'])")
    )


def loops() -> TextNotebook:
    return (
        official()
        .rewrite(
            "class linear_layer",
            """
class linear_layer:
    def __init__(self, input_D, output_D):
        self.input_D = input_D
        self.output_D = output_D
        self.params = {}
        self.params['W'] = np.random.normal(0, 0.1, (input_D, output_D))
        self.params['b'] = np.random.normal(0, 0.1, (1, output_D))
        self.gradient = {'W': np.zeros((input_D, output_D)), 'b': np.zeros((1, output_D))}

    def forward(self, X):
        out = np.zeros((X.shape[0], self.output_D))
        for n in range(X.shape[0]):
            for o in range(self.output_D):
                out[n, o] = self.params['b'][0, o]
                for i in range(self.input_D):
                    out[n, o] += X[n, i] * self.params['W'][i, o]
        return out

    def backward(self, X, grad):
        dW = np.zeros(self.params['W'].shape)
        db = np.zeros(self.params['b'].shape)
        dX = np.zeros(X.shape)
        for n in range(X.shape[0]):
            for o in range(self.output_D):
                db[0, o] += grad[n, o]
                for i in range(self.input_D):
                    dW[i, o] += X[n, i] * grad[n, o]
                    dX[n, i] += grad[n, o] * self.params['W'][i, o]
        self.gradient['W'] = dW
        self.gradient['b'] = db
        return dX
""",
        )
        .edit("first = (0, 0) if param_name == 'W' else 0", "first = (0, 0)")
    )


def in_place_on_own_arrays() -> TextNotebook:
    return (
        official()
        .edit(
            "forward_output = X @ self.params['W'] + self.params['b']",
            "forward_output = X.dot(self.params['W'])\n        np.add(forward_output, self.params['b'], out=forward_output)",
        )
        .edit("self.gradient['W'] = X.T @ grad", "np.matmul(X.T, grad, out=self.gradient['W'])")
        .edit("self.gradient['b'] = np.sum(grad, axis=0)", "self.gradient['b'][:] = grad.sum(axis=0)")
        .edit(
            "forward_output = X * self.mask", "forward_output = X.copy()\n        forward_output[X <= 0] = 0"
        )
        .edit(
            "backward_output = grad * self.mask",
            "backward_output = np.array(grad)\n        backward_output[self.mask == 0] = 0",
        )
        .edit(
            "module.params[key] = module.params[key] - _learning_rate * v",
            "module.params[key] -= _learning_rate * v",
        )
        .edit("first = (0, 0) if param_name == 'W' else 0", "first = (0, 0)")
    )


def torch_inside() -> TextNotebook:
    return (
        official()
        .edit("import numpy as np", "import numpy as np\nimport torch")
        .rewrite(
            "class relu",
            """
class relu:
    def __init__(self):
        self.mask = None

    def forward(self, X):
        return torch.relu(torch.from_numpy(np.asarray(X))).numpy()

    def backward(self, X, grad):
        x = torch.tensor(X, requires_grad=True)
        torch.relu(x).backward(torch.from_numpy(np.array(grad)))
        return x.grad.numpy()
""",
        )
    )


def torch_parameters() -> TextNotebook:
    return (
        official()
        .edit("import numpy as np", "import numpy as np\nimport torch")
        .edit(
            "self.gradient['W'] = X.T @ grad\n        self.gradient['b'] = np.sum(grad, axis=0)",
            "W = torch.tensor(self.params['W'], requires_grad=True)\n"
            "        b = torch.tensor(self.params['b'], requires_grad=True)\n"
            "        (torch.tensor(X) @ W + b).backward(torch.tensor(grad))\n"
            "        self.gradient['W'] = W.grad\n        self.gradient['b'] = b.grad[0]",
        )
        .edit("+ module.gradient[key]", "+ np.asarray(module.gradient[key])")
    )


def inheritance() -> TextNotebook:
    return (
        official()
        .before(
            "class linear_layer",
            """
class Module:
    \"\"\"My own base class.\"\"\"

    def __init__(self):
        self.params, self.gradient = {}, {}

    def add(self, name, *shape):
        self.params[name] = np.random.normal(0, 0.1, size=shape)
        self.gradient[name] = np.zeros(shape)

    def __call__(self, X):
        return self.forward(X)


class Affine(Module):
    def forward(self, X):
        return np.dot(X, self.params['W']) + self.params['b']

    def backward(self, X, grad):
        self.gradient.update(W=np.dot(X.T, grad), b=grad.sum(0))
        return np.dot(grad, self.params['W'].T)
""",
        )
        .rewrite(
            "class linear_layer",
            """
class linear_layer(Affine):
    def __init__(self, input_D, output_D):
        super().__init__()
        self.add('W', input_D, output_D)
        self.add('b', 1, output_D)
""",
        )
    )


def cached_input() -> TextNotebook:
    return (
        official()
        .edit("forward_output = X @ self", "self.X = X\n        forward_output = self.X @ self")
        .edit("X.T @ grad", "self.X.T @ grad")
        .edit(
            "self.mask = (X > 0).astype(int)\n        forward_output = X * self.mask",
            "self.X = X\n        forward_output = np.maximum(0, X)",
        )
        .edit("grad * self.mask", "np.where(self.X > 0, grad, 0)")
    )


def dot_and_transposes() -> TextNotebook:
    return (
        official()
        .edit(
            "X @ self.params['W'] + self.params['b']", "(self.params['W'].T.dot(X.T) + self.params['b'].T).T"
        )
        .edit("X.T @ grad", "grad.T.dot(X).T")
        .edit("np.sum(grad, axis=0)", "np.ones((1, len(grad))).dot(grad)[0]")
        .edit("grad @ self.params['W'].T", "self.params['W'].dot(grad.T).T")
    )


def dataclass_and_type_hints() -> TextNotebook:
    return official().rewrite(
        "class linear_layer",
        """
from dataclasses import dataclass, field
from typing import Dict

Array = np.ndarray

@dataclass
class linear_layer:
    \"\"\"Affine map.\"\"\"
    input_D: int
    output_D: int
    params: Dict[str, Array] = field(init=False, repr=False)
    gradient: Dict[str, Array] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        shapes = {'W': (self.input_D, self.output_D), 'b': (1, self.output_D)}
        self.params = {k: np.random.normal(loc=0, scale=.1, size=s) for k, s in shapes.items()}
        self.gradient = {k: np.zeros(s) for k, s in shapes.items()}

    def forward(self, X: Array) -> Array:
        return X @ self.params['W'] + self.params['b']

    def backward(self, X: Array, grad: Array) -> Array:
        self.gradient = {'W': X.T @ grad, 'b': grad.sum(axis=0)}
        return grad @ self.params['W'].T
""",
    )


def lambdas_decorators_and_globals() -> TextNotebook:
    return (
        official()
        .before(
            "class relu",
            """
import functools
FIRST, SECOND, THIRD, LAST = 'L1', 'nonlinear1', 'L2', 'loss'
EPSILON = 1e-4

def logged(f):
    @functools.wraps(f)
    def wrapper(*args, **kwargs):
        wrapper.calls += 1
        return f(*args, **kwargs)
    wrapper.calls = 0
    return wrapper
""",
        )
        .rewrite(
            "class relu",
            """
class relu:
    mask = None
    positive = staticmethod(lambda X: X > 0)
    forward = lambda self, X: X * (setattr(self, 'mask', self.positive(X)) or self.mask)
    backward = lambda self, X, grad: grad * self.mask
""",
        )
        .rewrite(
            "def backward_pass",
            """
@logged
def backward_pass(model, x, a1, h1, a2, y):
    inputs = {FIRST: x, SECOND: a1, THIRD: h1}
    functools.reduce(lambda g, layer: model[layer].backward(inputs[layer], g), [THIRD, SECOND, FIRST], model[LAST].backward(a2, y))
""",
        )
        .edit("epsilon_value = 1e-3", "epsilon_value = EPSILON")
        .edit("def gradient_checker", "@logged\ndef gradient_checker")
    )


def checker_prints_in_colours() -> TextNotebook:
    return official().edit(
        'from backpropagation: %f and from approximation: %f"',
        'from backpropagation: \\033[32m%f\\033[0m and from approximation: \\033[1;36m%f\\033[0m"',
    )


def checker_with_helper_functions() -> TextNotebook:
    return official().rewrite(
        "def gradient_checker",
        """
EPS = 1e-5

def loss_at(model, layer, name, value, x, y):
    old = model[layer].params[name].copy()
    model[layer].params[name].flat[0] = value
    loss = forward_pass(model, x, y)[-1]
    model[layer].params[name][...] = old
    return loss

def gradient_checker(DataSet, model):
    x, y = DataSet.get_example([0])
    a1, h1, a2, _ = forward_pass(model, x, y)
    backward_pass(model, x, a1, h1, a2, y)
    for layer in ('L1', 'L2'):
        for name in ('W', 'b'):
            w = float(model[layer].params[name].flat[0])
            approximate = (loss_at(model, layer, name, w + EPS, x, y) - loss_at(model, layer, name, w - EPS, x, y)) / (2 * EPS)
            exact = model[layer].gradient[name].flat[0]
            print(f'Check the gradient of {name} in the {layer} layer from backpropagation: {exact:f} and from approximation: {approximate:f}')
""",
    )
