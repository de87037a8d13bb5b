"""Mistakes that are made in a reference on purpose: one module per family of them."""
