"""Errors, points, records, the manifest and untrusted text: plain facts, no I/O. Imports nothing above."""
