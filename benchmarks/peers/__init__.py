"""The same homework and the same notebooks, graded by nbgrader, otter-grader and Chainrule in turns."""
