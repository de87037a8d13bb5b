"""What every test runs under: Hypothesis without chance, so that a failure here is a failure everywhere."""

from hypothesis import settings

settings.register_profile("chainrule", derandomize=True, deadline=None, database=None)
settings.load_profile("chainrule")
