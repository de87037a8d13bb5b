"""Convolution and max-pooling of pictures (N, C, H, W), forward and backward."""

import numpy as np


def convolve(X, W, b, stride=1, padding=0):
    """Each filter of W (F, C, K, L) laid over the pictures X (N, C, H, V), plus its bias b (F,).

    The pictures get `padding` zeros on all four sides. A filter is not turned over: its entries meet those
    of the picture in their order. Returns an array (N, F, height, width).
    """
    # TODO: return the array; leave X as it is
    ### BEGIN SOLUTION
    _, _, K, L = W.shape
    P = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    height, width = (P.shape[2] - K) // stride + 1, (P.shape[3] - L) // stride + 1
    out = np.empty((len(X), len(W), height, width))
    for i in range(height):
        for j in range(width):
            window = P[:, :, i * stride : i * stride + K, j * stride : j * stride + L]
            out[:, :, i, j] = np.einsum("nckl,fckl->nf", window, W) + b
    return out
    ### END SOLUTION


def convolve_backward(X, W, G, stride=1, padding=0):
    """The gradients of the loss with respect to X, W and b, in this order.

    G (N, F, height, width) is the gradient with respect to convolve(X, W, b, stride, padding).
    """
    # TODO: each entry of the output passes its gradient back to the window it came from
    ### BEGIN SOLUTION
    _, _, K, L = W.shape
    P = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    d_P, d_W = np.zeros(P.shape), np.zeros(W.shape)
    for i in range(G.shape[2]):
        for j in range(G.shape[3]):
            rows, columns = slice(i * stride, i * stride + K), slice(j * stride, j * stride + L)
            d_W += np.einsum("nf,nckl->fckl", G[:, :, i, j], P[:, :, rows, columns])
            d_P[:, :, rows, columns] += np.einsum("nf,fckl->nckl", G[:, :, i, j], W)
    d_X = d_P[:, :, padding : padding + X.shape[2], padding : padding + X.shape[3]]
    return d_X, d_W, G.sum(axis=(0, 2, 3))
    ### END SOLUTION


def max_pool(X, size):
    """The largest entry of each square of size x size entries; the squares do not overlap.

    The sides of the pictures X (N, C, H, W) are multiples of `size`. Returns (N, C, H / size, W / size).
    """
    # TODO: return the array
    ### BEGIN SOLUTION
    N, C, H, W = X.shape
    return X.reshape(N, C, H // size, size, W // size, size).max(axis=(3, 5))
    ### END SOLUTION


def max_pool_backward(X, size, G):
    """The gradient of the loss with respect to X, from G, that with respect to max_pool(X, size)."""
    # TODO: only the largest entry of a square had a say
    ### BEGIN SOLUTION
    large = np.repeat(np.repeat(max_pool(X, size), size, axis=2), size, axis=3)
    return (large == X) * np.repeat(np.repeat(G, size, axis=2), size, axis=3)
    ### END SOLUTION
