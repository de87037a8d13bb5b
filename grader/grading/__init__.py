"""Running one submission and scoring it: pytest plugin, scoring rules, the pipeline."""
