"""A class: find and match what was handed in, plan, run here or on a cluster, regrade, tabulate."""
