"""Errors, points, records and the manifest: plain facts with no I/O."""
