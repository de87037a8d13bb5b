"""One mistake each, in otherwise official work: what the homework's own checks do not see, and what costs nothing."""

from __future__ import annotations

from .text import TextNotebook
from .official import official

W_GRADIENT = "self.gradient['W'] = X.T @ grad"
B_GRADIENT = "self.gradient['b'] = np.sum(grad, axis=0)"
X_GRADIENT = "backward_output = grad @ self.params['W'].T"
CENTRAL = "(f_w_add_epsilon - f_w_minus_epsilon) / (2 * epsilon_value)"
RESTORE = """            model[layer_name].params[param_name] += epsilon
            print("""


def sign_flipped_gradient() -> TextNotebook:
    return official().edit(W_GRADIENT, "self.gradient['W'] = -X.T @ grad")


def random_gradient() -> TextNotebook:
    return official().edit(
        W_GRADIENT, "self.gradient['W'] = np.random.normal(0, 0.1, self.params['W'].shape)"
    )


def gradient_divided_by_n() -> TextNotebook:
    return official().edit(W_GRADIENT, "self.gradient['W'] = X.T @ grad / X.shape[0]")


def mean_for_sum() -> TextNotebook:
    return official().edit(B_GRADIENT, "self.gradient['b'] = np.mean(grad, axis=0)")


def gradients_accumulated() -> TextNotebook:
    return (
        official()
        .edit(W_GRADIENT, "self.gradient['W'] += X.T @ grad")
        .edit(B_GRADIENT, "self.gradient['b'] += np.sum(grad, axis=0)")
        .edit("first = (0, 0) if param_name == 'W' else 0", "first = (0, 0)")
    )


def ones_upstream() -> TextNotebook:
    return official().edit(W_GRADIENT, "self.gradient['W'] = X.T @ np.ones_like(grad)")


def missing_transpose() -> TextNotebook:
    return official().edit(X_GRADIENT, "backward_output = grad @ self.params['W']")


def bias_gradient_as_row() -> TextNotebook:
    return (
        official()
        .edit(B_GRADIENT, "self.gradient['b'] = np.sum(grad, axis=0, keepdims=True)")
        .edit("first = (0, 0) if param_name == 'W' else 0", "first = (0, 0)")
    )


def bias_starts_at_zero() -> TextNotebook:
    return official().edit(
        "self.params['b'] = np.random.normal(0, 0.1, size=(1, output_D))",
        "self.params['b'] = np.zeros((1, output_D))",
    )


def weights_of_deviation_one() -> TextNotebook:
    return official().edit(
        "np.random.normal(0, 0.1, size=(input_D, output_D))", "np.random.randn(input_D, output_D)"
    )


def weights_drawn_uniformly() -> TextNotebook:
    return official().edit(
        "np.random.normal(0, 0.1, size=(input_D, output_D))",
        "np.random.uniform(-1, 1, size=(input_D, output_D)) * 0.1 * 3**0.5",
    )


def no_relu_mask() -> TextNotebook:
    return official().edit("backward_output = grad * self.mask", "backward_output = grad")


def leaky_relu() -> TextNotebook:
    return official().edit("self.mask = (X > 0).astype(int)", "self.mask = np.where(X > 0, 1, 0.01)")


def slope_one_at_zero() -> TextNotebook:
    return official().edit("self.mask = (X > 0).astype(int)", "self.mask = (X >= 0).astype(int)")


def relu_in_place() -> TextNotebook:
    return official().edit(
        "forward_output = X * self.mask",
        "X[X < 0] = 0\n        forward_output = X",
    )


def stale_mask() -> TextNotebook:
    return (
        official()
        .edit(
            "self.mask = (X > 0).astype(int)\n        forward_output = X * self.mask",
            "if self.mask is None:\n            self.mask = (X > 0).astype(int)\n        forward_output = np.maximum(X, 0)",
        )
        .edit("grad * self.mask", "grad * self.mask[:len(grad)]")
    )


def relu_for_tables_only() -> TextNotebook:
    return official().rewrite(
        "class relu",
        """
class relu:
    def __init__(self):
        self.mask = None

    def forward(self, X):
        out = np.zeros(X.shape)
        self.mask = np.zeros(X.shape)
        for i in range(X.shape[0]):
            for j in range(X.shape[1]):
                if X[i][j] > 0:
                    out[i][j] = X[i][j]
                    self.mask[i][j] = 1
        return out

    def backward(self, X, grad):
        out = np.zeros(grad.shape)
        for i in range(grad.shape[0]):
            for j in range(grad.shape[1]):
                out[i][j] = grad[i][j] * self.mask[i][j]
        return out
""",
    )


def swapped_h1_and_a1() -> TextNotebook:
    return (
        official()
        .edit("model['L2'].backward(h1, grad_a2)", "model['L2'].backward(a1, grad_a2)")
        .edit("model['nonlinear1'].backward(a1, grad_h1)", "model['nonlinear1'].backward(h1, grad_h1)")
    )


def a1_where_h1_belongs() -> TextNotebook:
    return official().edit("model['L2'].backward(h1, grad_a2)", "model['L2'].backward(a1, grad_a2)")


def relu_left_out_of_backpropagation() -> TextNotebook:
    return official().edit("grad_a1 = model['nonlinear1'].backward(a1, grad_h1)", "grad_a1 = grad_h1")


def forward_difference() -> TextNotebook:
    return (
        official()
        .edit(
            "a1, h1, a2, _ = forward_pass(model, x, y)\n    backward_pass",
            "a1, h1, a2, f_w = forward_pass(model, x, y)\n    backward_pass",
        )
        .edit(
            "-= 2 * epsilon\n            _, _, _, f_w_minus_epsilon = forward_pass(model, x, y)", "-= epsilon"
        )
        .edit(CENTRAL, "(f_w_add_epsilon - f_w) / epsilon_value")
        .edit(RESTORE, "            print(")
    )


def precedence_bug() -> TextNotebook:
    return official().edit(CENTRAL, "(f_w_add_epsilon - f_w_minus_epsilon) / 2 * epsilon_value")


def parameters_not_restored() -> TextNotebook:
    return official().edit(RESTORE, "            print(")


def checker_prints_fixed_numbers() -> TextNotebook:
    return official().rewrite(
        "def gradient_checker",
        """
def gradient_checker(DataSet, model):
    for layer_name, param_name, number in [('L1', 'W', 0.0), ('L1', 'b', 0.129579), ('L2', 'W', 0.004011), ('L2', 'b', 0.121975)]:
        print("Check the gradient of %s in the %s layer from backpropagation: %f and from approximation: %f"
              % (param_name, layer_name, number, number))
""",
    )


def checker_prints_the_gradient_twice() -> TextNotebook:
    return official().edit(
        "% (param_name, layer_name, grad, approximate_gradient))", "% (param_name, layer_name, grad, grad))"
    )


def velocity_not_stored() -> TextNotebook:
    return official().edit("                velocity[(name, key)] = v\n", "")


def momentum_climbs() -> TextNotebook:
    return official().edit(
        "module.params[key] - _learning_rate * v", "module.params[key] + _learning_rate * v"
    )


def momentum_of_earlier_courses() -> TextNotebook:
    return (
        official()
        .edit(
            "v = alpha * velocity[(name, key)] + module.gradient[key]",
            "v = alpha * velocity[(name, key)] - _learning_rate * module.gradient[key]",
        )
        .edit("module.params[key] - _learning_rate * v", "module.params[key] + v")
    )


def momentum_without_return() -> TextNotebook:
    return (
        official()
        .edit("\n    return model", "")
        .edit("    model = sgd_with_momentum(", "    sgd_with_momentum(")
    )


def momentum_of_weights_only() -> TextNotebook:
    return official().edit("for key in module.params:\n", "for key in ['W']:\n")


def linear_layer_not_done() -> TextNotebook:
    return official().rewrite(
        "class linear_layer",
        """
class linear_layer:
    def __init__(self, input_D, output_D):
        self.params = dict()
        self.gradient = dict()
        raise NotImplementedError('TODO')

    def forward(self, X):
        raise NotImplementedError('TODO')

    def backward(self, X, grad):
        raise NotImplementedError('TODO')
""",
    )


def backward_pass_not_done() -> TextNotebook:
    return official().rewrite(
        "def backward_pass",
        """
def backward_pass(model, x, a1, h1, a2, y):
    grad_a2 = model['loss'].backward(a2, y)
    # TODO
    pass
""",
    )
