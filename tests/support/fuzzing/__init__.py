"""What fuzz tests and ``python -m benchmarks.mutations`` share: targets, damage, and the first inputs."""
