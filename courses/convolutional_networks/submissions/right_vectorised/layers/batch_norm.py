import numpy as np


def _centred(X, eps):
    X = np.array(X, dtype=np.float64)
    X -= X.mean(0)
    return X, 1 / np.sqrt((X * X).mean(0) + eps)


def normalize(X, gamma, beta, eps=1e-5):
    out, scale = _centred(X, eps)
    out *= scale
    out *= gamma
    out += beta
    return out


def normalize_backward(X, gamma, G, eps=1e-5):
    Z, scale = _centred(X, eps)
    Z *= scale
    dgamma = np.einsum("nd,nd->d", G, Z)
    dbeta = np.ones(len(G)) @ G
    G -= (dbeta + Z * dgamma) / len(G)  # nobody needs G afterwards
    G *= gamma * scale
    return G, dgamma, dbeta


class BatchNorm:
    def __init__(self, size, momentum=0.9, eps=1e-5):
        self.gamma, self.beta = np.ones(size), np.zeros(size)
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)
        self.momentum, self.eps = momentum, eps

    def forward(self, X, training=True):
        mean, var = self.running_mean, self.running_var
        if training:
            self.running_mean = mean + (1 - self.momentum) * (np.average(X, axis=0) - mean)
            self.running_var = var + (1 - self.momentum) * (np.var(X, axis=0) - var)
            mean, var = np.mean(X, axis=0), np.var(X, axis=0)
        return (X - mean) * (var + self.eps) ** -0.5 * self.gamma + self.beta
