"""What every test runs under: Hypothesis without chance, so that a failure here is a failure everywhere."""

from hypothesis import HealthCheck, settings

settings.register_profile(
    "chainrule",
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow],  # it looks at the clock, and a busy machine is no failure
)
settings.load_profile("chainrule")
