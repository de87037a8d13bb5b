"""Tools for check-writers: comparing arrays and gradients. Knows `model` only."""
