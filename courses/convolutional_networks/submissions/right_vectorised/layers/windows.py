"""Pictures to rows of windows, and back."""

import numpy as np


def windows(X, kernel, stride, padding):
    X = np.pad(X, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    seen = np.lib.stride_tricks.sliding_window_view(X, kernel, axis=(2, 3))[:, :, ::stride, ::stride]
    height, width = seen.shape[2:4]
    return seen.transpose(0, 2, 3, 1, 4, 5).reshape(len(X) * height * width, -1), height, width


def add_back(rows, X_shape, W_shape, G_shape, stride, padding):
    N, C, H, W = X_shape
    (_, _, K, L), (_, _, height, width) = W_shape, G_shape
    parts = rows.reshape(N, height, width, C, K, L)
    out = np.zeros((N, C, H + 2 * padding, W + 2 * padding))
    for k in range(K):
        for m in range(L):
            out[:, :, k : k + height * stride : stride, m : m + width * stride : stride] += parts[
                ..., k, m
            ].transpose(0, 3, 1, 2)
    return out[:, :, padding : padding + H, padding : padding + W]
