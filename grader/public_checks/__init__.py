"""The public checks on a student's own machine: in a notebook's cell, by pytest, on every platform."""
