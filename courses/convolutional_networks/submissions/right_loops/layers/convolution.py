import numpy as np


def surround(X, zeros):
    N, C, H, W = X.shape
    out = np.zeros((N, C, H + 2 * zeros, W + 2 * zeros))
    out[:, :, zeros : zeros + H, zeros : zeros + W] = X
    return out


def convolve(X, W, b, stride=1, padding=0):
    X = surround(X, padding)
    F, C, K, L = W.shape
    result = []
    for picture in X:
        planes = []
        for f in range(F):
            rows = []
            for i in range(0, X.shape[2] - K + 1, stride):
                row = []
                for j in range(0, X.shape[3] - L + 1, stride):
                    row.append((picture[:, i : i + K, j : j + L] * W[f]).sum() + b[f])
                rows.append(row)
            planes.append(rows)
        result.append(planes)
    return np.array(result)


def convolve_backward(X, W, G, stride=1, padding=0):
    X = surround(X, padding)
    dX, dW, db = 0 * X, 0 * W, np.zeros(W.shape[0])
    K, L = W.shape[2:]
    for n, f, i, j in np.ndindex(*G.shape):
        g, r, c = G[n, f, i, j], i * stride, j * stride
        db[f] += g
        dW[f] += g * X[n, :, r : r + K, c : c + L]
        dX[n, :, r : r + K, c : c + L] += g * W[f]
    if padding:
        dX = dX[:, :, padding:-padding, padding:-padding]
    return dX, dW, db


def max_pool(X, size):
    N, C, H, W = X.shape
    out = np.zeros((N, C, H // size, W // size))
    for n, c, i, j in np.ndindex(*out.shape):
        out[n, c, i, j] = max(X[n, c, i * size + k, j * size + m] for k in range(size) for m in range(size))
    return out


def max_pool_backward(X, size, G):
    dX = np.zeros(X.shape)
    for n, c, i, j in np.ndindex(*G.shape):
        square = X[n, c, i * size : (i + 1) * size, j * size : (j + 1) * size]
        k, m = divmod(int(square.argmax()), size)  # the first of equals
        dX[n, c, i * size + k, j * size + m] = G[n, c, i, j]
    return dX
