"""What check authors call: closeness, gradients, training, evidence. Imports `model` only."""
