import numpy as np

from layers.windows import add_back, windows


def convolve(X, W, b, stride=1, padding=0):
    """As one matrix product."""
    columns, height, width = windows(X, W.shape[2:], stride, padding)
    out = columns @ W.reshape(len(W), -1).T
    out += b
    return out.reshape(len(X), height, width, len(W)).transpose(0, 3, 1, 2)


def convolve_backward(X, W, G, stride=1, padding=0):
    columns, _, _ = windows(X, W.shape[2:], stride, padding)
    rows = G.transpose(0, 2, 3, 1).reshape(-1, len(W))
    dW = (rows.T @ columns).reshape(W.shape)
    dX = add_back(rows @ W.reshape(len(W), -1), X.shape, W.shape, G.shape, stride, padding)
    return dX, dW, rows.sum(axis=0)


def max_pool(X, size):
    out = X[:, :, ::size, ::size].astype(np.float32)
    for i in range(size):
        for j in range(size):
            np.maximum(out, X[:, :, i::size, j::size], out=out, casting="same_kind")
    return out


def max_pool_backward(X, size, G):
    N, C, H, W = X.shape
    squares = X.reshape(N, C, H // size, size, W // size, size).swapaxes(3, 4).reshape(*G.shape, -1)
    best = squares == squares.max(axis=-1, keepdims=True)
    shared = best / best.sum(axis=-1, keepdims=True) * G[..., None]  # equals share it
    return shared.reshape(N, C, H // size, W // size, size, size).swapaxes(3, 4).reshape(X.shape)
