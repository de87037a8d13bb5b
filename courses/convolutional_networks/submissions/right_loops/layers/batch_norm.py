"""Column by column, as one would on paper."""

import math

import numpy as np


def column_stats(column):
    m = sum(column) / len(column)
    return m, sum((x - m) ** 2 for x in column) / len(column)


def normalize(X, gamma, beta, eps=1e-5):
    out = np.zeros_like(X)
    for d in range(X.shape[1]):
        m, v = column_stats(X[:, d])
        for n in range(X.shape[0]):
            out[n, d] = gamma[d] * (X[n, d] - m) / math.sqrt(v + eps) + beta[d]
    return out


def normalize_backward(X, gamma, G, eps=1e-5):
    # step by step through the graph
    N, D = X.shape
    dX, dgamma, dbeta = np.zeros((N, D)), [0.0] * D, [0.0] * D
    for d in range(D):
        mu, var = column_stats(X[:, d])
        centred = X[:, d] - mu
        root = math.sqrt(var + eps)
        for n in range(N):
            dgamma[d] += G[n, d] * centred[n] / root
            dbeta[d] += G[n, d]
        dnormal = gamma[d] * G[:, d]
        droot = -sum(dnormal * centred) / root**2
        dvar = droot / (2 * root)
        dcentred = dnormal / root + dvar * 2 * centred / N
        dX[:, d] = dcentred - sum(dcentred) / N
    return [dX, dgamma, dbeta]


class BatchNorm:
    def __init__(self, size, momentum=0.9, eps=1e-5):
        self.gamma, self.beta = np.ones(size), np.zeros(size)
        self.running_mean, self.running_var = np.zeros(size), np.ones(size)
        self.momentum, self.eps = momentum, eps

    def forward(self, X, training):
        if training:
            for d in range(X.shape[1]):
                m, v = column_stats(X[:, d])
                self.running_mean[d] = self.momentum * self.running_mean[d] + (1 - self.momentum) * m
                self.running_var[d] += (1 - self.momentum) * (v - self.running_var[d])
            return normalize(X, self.gamma, self.beta, self.eps)
        out = X - self.running_mean
        out /= np.sqrt(self.running_var + self.eps)
        out *= self.gamma
        out += self.beta
        return out
