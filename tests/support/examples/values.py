"""Results of unusual kinds: what cannot be compared costs its checks, what only looks different costs nothing."""

from __future__ import annotations

from .text import TextNotebook
from .official import official

LINEAR_RETURN = "return forward_output\n\n    def backward(self, X, grad):\n        self.gradient"
RELU_MASK = "self.mask = (X > 0).astype(int)"


def _linear_forward_returns(expression: str) -> TextNotebook:
    return official().edit(
        LINEAR_RETURN, LINEAR_RETURN.replace("return forward_output", f"return {expression}")
    )


def nan_returned() -> TextNotebook:
    return official().edit("forward_output = X * self.mask", "forward_output = X * self.mask / (X > 0)")


def object_array_returned() -> TextNotebook:
    return _linear_forward_returns("forward_output.astype(object)")


def torch_tensor_returned() -> TextNotebook:
    return (
        _linear_forward_returns("torch.from_numpy(forward_output).requires_grad_()")
        .edit("import numpy as np", "import numpy as np\nimport torch")
        .edit(
            "(X > 0).astype(int)",
            "(np.asarray(X.detach()) > 0).astype(int) if torch.is_tensor(X) else (X > 0).astype(int)",
        )
    )


def list_returned() -> TextNotebook:
    return _linear_forward_returns("forward_output.tolist()").edit(
        RELU_MASK, "X = np.array(X)\n        " + RELU_MASK
    )


def float32_everywhere() -> TextNotebook:
    return (
        _linear_forward_returns("forward_output.astype('float32')")
        .edit("X.T @ grad", "(X.T @ grad).astype(np.float32)")
        .edit("np.sum(grad, axis=0)", "np.sum(grad, axis=0, dtype=np.float32)")
        .edit("grad @ self.params['W'].T", "np.float32(grad) @ self.params['W'].T.astype(np.float32)")
        .edit("forward_output = X * self.mask", "forward_output = np.float32(X * self.mask)")
        .edit("backward_output = grad * self.mask", "backward_output = np.float32(grad * self.mask)")
    )


def matrix_returned() -> TextNotebook:
    return (
        _linear_forward_returns("np.asmatrix(forward_output)")
        .edit("X.T @ grad", "np.asmatrix(X.T @ grad)")
        .edit("X * self.mask", "np.multiply(X, self.mask)")
        .edit("grad * self.mask", "np.multiply(grad, self.mask)")
    )


def nothing_returned() -> TextNotebook:
    return official().edit(
        "backward_output = grad @ self.params['W'].T\n        return backward_output",
        "backward_output = grad @ self.params['W'].T",
    )


def tuple_returned() -> TextNotebook:
    return _linear_forward_returns("forward_output, X")


def text_returned() -> TextNotebook:
    return _linear_forward_returns("'X W + b'")


def gradients_left_as_text() -> TextNotebook:
    return (
        official()
        .edit("self.gradient['b'] = np.sum(grad, axis=0)", "self.gradient['b'] = str(np.sum(grad, axis=0))")
        .edit("gradient_checker(toy, model)", "")
    )


def huge_list_returned() -> TextNotebook:
    return _linear_forward_returns("[0.0] * 3_000_000")
