"""Reading hostile notebook files, and turning the reference into a template."""
