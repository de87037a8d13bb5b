"""Makes reference/rings.npz: 300 points of two noisy rings. Run it from the course's folder."""

import numpy as np

rng = np.random.default_rng(2024)
y = rng.integers(2, size=300)
angle, radius = rng.uniform(0, 2 * np.pi, size=300), 1.0 + y + 0.15 * rng.normal(size=300)
X = np.stack([radius * np.cos(angle), radius * np.sin(angle)], axis=1)
np.savez("reference/rings.npz", X=X.astype(np.float32), y=y)
