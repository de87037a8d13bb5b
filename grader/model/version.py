"""The version of this program. The build reads it here, so it is stated nowhere else."""

__version__ = "0.1.0"
